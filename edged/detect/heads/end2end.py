"""End-to-end models (YOLO26, YOLOv10 exported with end2end): one output (N, 6), duplicates already removed.

Rows are left, top, right, bottom in input pixels, score 0..1, class.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edged.detect.heads import base
from edged.detect.spec import ModelSpec
from edged.domain.detections import Detections
from edged.domain.words import counted
from edged.errors import BackendError


class End2EndHead:
    """Decodes (N, 6), also when it comes as (6, N)."""

    overlapping = False

    def __init__(self, spec: ModelSpec) -> None:
        self._classes = len(spec.labels)

    def decode(self, outputs: Sequence[base.Tensor], confidence: float) -> Detections:
        """See Head.decode. Raises BackendError for a class that has no label."""
        table = base.with_columns(outputs[0], 6) if len(outputs) == 1 else None
        if table is None:
            raise base.wrong_shape("one of (N, 6): left, top, right, bottom, score, class", outputs)
        base.demand_finite(table[:, 4])
        chosen = table[table[:, 4] >= confidence]
        base.demand_finite(chosen)
        class_id = chosen[:, 5].astype(np.int32)
        if len(class_id) and not 0 <= class_id.min() <= class_id.max() < self._classes:
            raise BackendError(
                f"The model found class {class_id.max()}, but model.toml has {counted(self._classes, 'label')}.",
                hint="Correct labels in model.toml: one for each class that the model was trained on.",
            )
        return base.candidates(chosen[:, :4], chosen[:, 4], class_id)
