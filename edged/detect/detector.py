"""A model as a detector: letterbox, backend, head, suppression."""

from __future__ import annotations

import numpy as np

from edged.detect.heads.make import make_head
from edged.detect.letterbox import Letterbox
from edged.detect.nms import best, suppress
from edged.detect.spec import Boxes, ModelSpec
from edged.domain.detections import Detections
from edged.domain.frame import Frame
from edged.ports import Backend


class ModelDetector:
    """Finds objects with a model that some backend runs. Used by one thread at a time."""

    def __init__(
        self,
        spec: ModelSpec,
        backend: Backend,
        *,
        engine: str = "",
        confidence: float | None = None,
        nms_iou: float | None = None,
        max_detections: int = 300,
    ) -> None:
        """`engine` is the name of what runs the model, for people.

        `confidence` and `nms_iou` (0..1) replace the model's own thresholds.
        """
        self.spec = spec
        self.labels = spec.labels
        self.engine = engine
        sides = (spec.input.width_px, spec.input.height_px) * 2
        self._box_unit = np.array(sides, np.float32) if spec.head.boxes is Boxes.FRACTIONS else None
        self._backend = backend
        self._confidence = spec.thresholds.confidence if confidence is None else confidence
        self._nms_iou = spec.thresholds.nms_iou if nms_iou is None else nms_iou
        self._max_detections = max_detections
        self._letterbox = Letterbox(spec.input)
        self._head = make_head(spec)

    def detect(self, frame: Frame) -> Detections:
        """Find objects in a frame of any size, most confident first, boxes in its pixels and cut to it.

        Boxes that lie wholly outside are dropped. Raises BackendError when the engine fails or gives numbers that are
        not finite, FrameCorrupt when the frame cannot be decoded or is no BGR picture.
        """
        blob, placement = self._letterbox.blob(frame)
        found = self._head.decode(self._backend.infer(blob), self._confidence)
        if self._head.overlapping:
            found = suppress(found, iou=self._nms_iou, max_detections=self._max_detections)
        else:
            found = best(found, self._max_detections)
        inside = found.xyxy if self._box_unit is None else found.xyxy * self._box_unit
        xyxy = placement.to_frame(inside)
        placed = Detections(xyxy, found.confidence, found.class_id)
        has_sides = xyxy[:, :2] < xyxy[:, 2:]
        visible = (has_sides[:, 0] & has_sides[:, 1]).nonzero()[0]
        return placed if len(visible) == len(placed) else placed[visible]

    def close(self) -> None:
        """Free the engine. Harmless when closed already."""
        self._backend.close()
