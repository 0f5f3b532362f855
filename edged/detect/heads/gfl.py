"""PicoDet and NanoDet: for each stride class scores (n, classes) and edge distributions (n, 4 * bins).

Scores are 0..1. A distance from the cell's centre to an edge is the expectation of a softmax over bins 0, 1, … in
units of the stride; edges come in the order left, top, right, bottom. Outputs: scores of all strides, then edges of
all strides. Source: Generalized Focal Loss, arXiv:2006.04388; PP-PicoDet, arXiv:2111.00902.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edged.detect.heads import base
from edged.detect.spec import ModelSpec
from edged.domain.detections import Detections


class GflHead:
    """Decodes pairs of (n, classes) and (n, 4 * bins), also when they come turned."""

    overlapping = True

    def __init__(self, spec: ModelSpec) -> None:
        self._classes = len(spec.labels)
        grids = [base.grid(spec.input, [stride]) for stride in spec.head.strides]
        self._cells = [len(strides) for _, strides in grids]  # how many, stride by stride
        self._strides = np.concatenate([strides for _, strides in grids])
        centres = [(cells + np.float32(0.5)) * strides[:, None] for cells, strides in grids]
        self._centres = np.ascontiguousarray(np.concatenate(centres).T)  # x and y, (2, N)

    def decode(self, outputs: Sequence[base.Tensor], confidence: float) -> Detections:
        """See Head.decode."""
        scores, edges = self._arrange(outputs)
        best = scores.max(axis=0)
        base.demand_finite(best)
        chosen = (best >= confidence).nonzero()[0]
        edges = edges.take(chosen, axis=1)
        base.demand_finite(edges)
        distance = _expectation(edges) * self._strides[chosen]
        centre = self._centres.take(chosen, axis=1)
        xyxy = np.empty((len(chosen), 4), np.float32)
        np.subtract(centre, distance[:2], out=xyxy.T[:2])
        np.add(centre, distance[2:], out=xyxy.T[2:])
        class_id = scores.take(chosen, axis=1).argmax(axis=0).astype(np.int32)
        return base.candidates(xyxy, best[chosen], class_id)

    def _arrange(self, outputs: Sequence[base.Tensor]) -> tuple[base.Tensor, base.Tensor]:
        """Put the strides side by side: (classes, N) and (4 * bins, N)."""
        levels = len(self._cells)
        if len(outputs) != 2 * levels:
            raise self._wrong_shape(outputs)
        upright = [
            base.turned(output) if output.shape[0] == cells else output
            for output, cells in zip(map(base.two_dimensional, outputs), self._cells * 2, strict=True)
        ]
        bins = len(upright[-1])
        expected = [(rows, cells) for rows in (self._classes, bins) for cells in self._cells]
        if [output.shape for output in upright] != expected or bins % 4 or bins < 8:
            raise self._wrong_shape(outputs)
        return np.concatenate(upright[:levels], axis=1), np.concatenate(upright[levels:], axis=1)

    def _wrong_shape(self, outputs: Sequence[base.Tensor]) -> Exception:
        scores = ", ".join(f"({cells}, {self._classes})" for cells in self._cells)
        edges = ", ".join(f"({cells}, 4 x bins)" for cells in self._cells)
        return base.wrong_shape(f"scores {scores}, then edges {edges}", outputs)


def _expectation(edges: base.Tensor) -> base.Tensor:
    """(4 * bins, N) logits → (4, N) mean bin."""
    logits = edges.reshape(4, len(edges) // 4, edges.shape[1])
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    bins = np.arange(logits.shape[1], dtype=np.float32)
    return np.asarray((weights * bins[:, None]).sum(axis=1) / weights.sum(axis=1))
