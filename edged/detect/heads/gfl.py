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
        self._levels = [base.grid(spec.input, [stride]) for stride in spec.head.strides]

    def decode(self, outputs: Sequence[base.Tensor], confidence: float) -> Detections:
        """See Head.decode."""
        if len(outputs) != 2 * len(self._levels):
            raise self._wrong_shape(outputs)
        parts = []
        for level, (cells, strides) in enumerate(self._levels):
            scores, edges = self._arrange(level, outputs)
            rows = base.rows_above(scores, confidence)
            if len(rows):
                parts.append((scores[rows], edges[rows], cells[rows], strides[rows, None]))
        if not parts:
            return Detections.empty()
        scores, edges, cells, strides = (np.concatenate(part) for part in zip(*parts, strict=True))
        base.demand_finite(edges)
        best, class_id = base.best_class(scores)
        centre = (cells + np.float32(0.5)) * strides
        distance = _expectation(edges) * strides
        return base.candidates(
            np.concatenate([centre - distance[:, :2], centre + distance[:, 2:]], axis=1), best, class_id
        )

    def _arrange(self, level: int, outputs: Sequence[base.Tensor]) -> tuple[base.Tensor, base.Tensor]:
        """View the outputs of one stride as (n, classes) and (n, 4 * bins)."""
        rows = len(self._levels[level][1])
        pair = []
        for output in (outputs[level], outputs[level + len(self._levels)]):
            output = base.two_dimensional(output)
            pair.append(output if output.shape[0] == rows else base.turned(output))
        scores, edges = pair
        fits = scores.shape == (rows, self._classes) and edges.ndim == 2 and edges.shape[0] == rows
        if not fits or edges.shape[1] % 4 or edges.shape[1] < 8:
            raise self._wrong_shape(outputs)
        return scores, edges

    def _wrong_shape(self, outputs: Sequence[base.Tensor]) -> Exception:
        cells = [len(strides) for _, strides in self._levels]
        scores = ", ".join(f"({rows}, {self._classes})" for rows in cells)
        edges = ", ".join(f"({rows}, 4 x bins)" for rows in cells)
        return base.wrong_shape(f"scores {scores}, then edges {edges}", outputs)


def _expectation(edges: base.Tensor) -> base.Tensor:
    """(n, 4 * bins) logits → (n, 4) mean bin."""
    logits = edges.reshape(len(edges), 4, edges.shape[1] // 4)
    weights = np.exp(logits - logits.max(axis=2, keepdims=True))
    bins = np.arange(logits.shape[2], dtype=np.float32)
    return np.asarray((weights @ bins) / weights.sum(axis=2))
