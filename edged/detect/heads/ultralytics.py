"""YOLOv8, YOLO11, YOLO26 as Ultralytics exports them: one output (4 + classes, N).

Rows are cx, cy, w, h in input pixels, then one score 0..1 a class; there is no objectness. Source: the exporter of
Ultralytics 8.4.
"""

from __future__ import annotations

from collections.abc import Sequence

from edged.detect.heads import base
from edged.detect.spec import ModelSpec
from edged.domain.detections import Detections


class UltralyticsHead:
    """Decodes (4 + classes, N), also when it comes as (N, 4 + classes)."""

    overlapping = True

    def __init__(self, spec: ModelSpec) -> None:
        self._columns = 4 + len(spec.labels)
        self._rows = len(base.grid(spec.input, spec.head.strides)[1])
        self._strides = spec.head.strides

    def decode(self, outputs: Sequence[base.Tensor], confidence: float) -> Detections:
        """See Head.decode."""
        table = self._arrange(outputs)
        rows, best, class_id = base.best_above(table[:, 4:], confidence)
        chosen = table[rows, :4]
        centre, half = chosen[:, :2], chosen[:, 2:] / 2
        return base.candidates(base.from_centre(centre, half), best, class_id)

    def _arrange(self, outputs: Sequence[base.Tensor]) -> base.Tensor:
        """View the output as (N, 4 + classes)."""
        if len(outputs) == 1:
            output = base.two_dimensional(outputs[0])
            if output.shape == (self._columns, self._rows):
                return base.turned(output)
            if output.shape == (self._rows, self._columns):
                return output
        raise base.wrong_shape(
            f"one of ({self._columns}, {self._rows}): 4 + {self._columns - 4} labels, and a column for each cell of "
            f"the strides {', '.join(map(str, self._strides))} at this input size",
            outputs,
        )
