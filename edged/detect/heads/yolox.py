"""YOLOX without its decoding step: one output (N, 5 + classes).

Rows are dx, dy, log w, log h in cells of the grid, then objectness and class scores, 0..1; strides in turn, row by
row. Box: centre (cell + dxy) * stride, size exp(log wh) * stride; score: objectness * class score. Source: YOLOX,
arXiv:2107.08430, and its demo_postprocess.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edged.detect.heads import base
from edged.detect.spec import ModelSpec
from edged.domain.detections import Detections


class YoloxHead:
    """Decodes (N, 5 + classes), also when it comes as (5 + classes, N)."""

    overlapping = True

    def __init__(self, spec: ModelSpec) -> None:
        self._columns = 5 + len(spec.labels)
        self._cells, self._strides = base.grid(spec.input, spec.head.strides)

    def decode(self, outputs: Sequence[base.Tensor], confidence: float) -> Detections:
        """See Head.decode."""
        table = self._arrange(outputs)
        objectness = table[:, 4]
        base.demand_finite(objectness)
        rows = np.flatnonzero(objectness >= confidence)  # class scores are at most 1
        scores = table[rows, 5:] * objectness[rows, None]
        kept, best, class_id = base.best_above(scores, confidence)
        rows = rows[kept]
        chosen = table[rows, :4]
        stride = self._strides[rows, None]
        with np.errstate(over="ignore"):  # infinity is reported below
            half = np.exp(chosen[:, 2:4]) * stride / 2
        centre = (chosen[:, 0:2] + self._cells[rows]) * stride
        return base.candidates(base.from_centre(centre, half), best, class_id)

    def _arrange(self, outputs: Sequence[base.Tensor]) -> base.Tensor:
        """View the output as (N, 5 + classes)."""
        rows = len(self._strides)
        if len(outputs) == 1:
            output = base.two_dimensional(outputs[0])
            if output.shape == (rows, self._columns):
                return output
            if output.shape == (self._columns, rows):
                return base.turned(output)
        raise base.wrong_shape(
            f"one of ({rows}, {self._columns}): a row for each cell of the strides at this input size, "
            f"5 + {self._columns - 5} labels",
            outputs,
        )
