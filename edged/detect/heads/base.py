"""What the decoders have in common."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from edged.detect.spec import InputSpec
from edged.domain.detections import Detections
from edged.errors import BackendError, ModelInvalid

Tensor = npt.NDArray[np.float32]


class Head(Protocol):
    """Reads the outputs of one family of models."""

    overlapping: bool
    """True when several boxes may stand for one object, so that they need suppression."""

    def decode(self, outputs: Sequence[Tensor], confidence: float) -> Detections:
        """Find the candidates of at least `confidence`; xyxy in pixels of the model's input, not cut to it.

        One label a candidate, its best. Raises ModelInvalid when the outputs' shapes are not this family's, and
        BackendError when a number is not finite.
        """
        ...


def wrong_shape(expected: str, outputs: Sequence[Tensor]) -> ModelInvalid:
    """Build the error for outputs that do not fit the head."""
    found = ", ".join(str(output.shape) for output in outputs) or "nothing"
    hint = "Compare [head], labels and outputs in model.toml with what the model was exported as."
    if len(outputs) == 1 and 6 in outputs[0].shape[-2:]:
        hint = 'Six numbers a row look like an end-to-end export: write family = "end2end" in model.toml.'
    return ModelInvalid(f"The model's outputs have the shapes {found}; expected {expected}.", hint=hint)


def two_dimensional(tensor: Tensor) -> Tensor:
    """Drop axes of length 1 in front of the last two."""
    while tensor.ndim > 2 and tensor.shape[0] == 1:
        tensor = tensor[0]
    return tensor


def turned(tensor: Tensor) -> Tensor:
    """View (A, B) as (B, A)."""
    return np.asarray(tensor.T)


def with_columns(tensor: Tensor, columns: int) -> Tensor | None:
    """View the tensor as (N, columns), turning it where needed; None when it is neither."""
    tensor = two_dimensional(tensor)
    if tensor.ndim != 2:
        return None
    if tensor.shape[1] == columns:
        return tensor
    return turned(tensor) if tensor.shape[0] == columns else None


def grid(spec: InputSpec, strides: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Column and row of every cell, (N, 2), and its stride in input pixels, (N,): strides in turn, row by row."""
    cells = []
    sizes = []
    for stride in strides:
        columns, rows = -(-spec.width_px // stride), -(-spec.height_px // stride)
        y, x = np.divmod(np.arange(rows * columns), columns)
        cells.append(np.stack([x, y], axis=1))
        sizes.append(np.full(rows * columns, stride))
    return np.concatenate(cells).astype(np.float32), np.concatenate(sizes).astype(np.float32)


def best_above(scores: Tensor, confidence: float) -> tuple[npt.NDArray[np.intp], Tensor, npt.NDArray[np.int32]]:
    """Rows of (N, classes) with a score of at least `confidence`, ascending; the best score of each, and its class.

    Looks once at every score: this is most of a decoder's time. Raises BackendError when one is not finite.
    """
    if scores.flags.c_contiguous:
        _demand(math.isfinite(scores.max(initial=0.0)))  # NaN prevails; no score is chosen for being -inf
        hits = (scores.ravel() >= confidence).nonzero()[0] // scores.shape[1]
        rows = hits[np.diff(hits, prepend=-1).nonzero()[0]]
        chosen = scores[rows]
        best = chosen.max(axis=1)
    else:
        best = scores.max(axis=1)  # a row's scores lie far apart in memory: numpy compares whole columns
        _demand(math.isfinite(best.max(initial=0.0)))  # NaN prevails here, too
        rows = (best >= confidence).nonzero()[0]
        chosen, best = scores[rows], best[rows]
    return rows, best, chosen.argmax(axis=1).astype(np.int32)


def from_centre(centre: npt.NDArray[np.floating[Any]], half: npt.NDArray[np.floating[Any]]) -> Tensor:
    """(N, 4) boxes xyxy around the centres (N, 2), from half of their width and height (N, 2)."""
    xyxy = np.empty((len(centre), 4), np.float32)
    np.subtract(centre, half, out=xyxy[:, :2])
    np.add(centre, half, out=xyxy[:, 2:])
    return xyxy


def demand_finite(numbers: Tensor) -> None:
    """Raise BackendError when a number is NaN or infinite."""
    _demand(bool(np.isfinite(numbers).all()))


def _demand(finite: bool) -> None:
    if not finite:
        raise BackendError(
            "The model gave numbers that are not finite.",
            hint="The weights are damaged, or overflow in half precision: copy the model again, "
            "or export it with 32-bit weights.",
        )


def candidates(xyxy: Tensor, confidence: Tensor, class_id: npt.NDArray[np.int32]) -> Detections:
    """Put the arrays together. Raises BackendError when a coordinate is not finite."""
    demand_finite(xyxy)
    return Detections(xyxy.astype(np.float32, copy=False), confidence, class_id)
