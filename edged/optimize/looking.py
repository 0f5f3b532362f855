"""A network's raw answers as detections: letterbox, forward pass, boxes, non-maximum suppression. For measuring only.

The daemon's own way from pixels to boxes is the room `detect`; this room may not lean on it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from edged.domain import boxes
from edged.domain.detections import Detections
from edged.domain.frame import BgrImage
from edged.optimize import grid
from edged.optimize.augment import GREY
from edged.optimize.grid import Floats

NMS_IOU = 0.45  # the teacher marks many cells for one object, and so does the student

Raw = Callable[[BgrImage], tuple[Floats, Floats]]
"""A square BGR image in, scores (classes, A) in 0..1 and box distributions (32, A) out."""


def letterbox(image: BgrImage, size_px: int) -> tuple[BgrImage, float, tuple[int, int]]:
    """Fit an image into a square, centred on grey; also the scale and the left and top margin in pixels."""
    height, width = image.shape[:2]
    scale = size_px / max(height, width)
    new_w, new_h = round(width * scale), round(height * scale)
    left, top = (size_px - new_w) // 2, (size_px - new_h) // 2
    canvas = np.full((size_px, size_px, 3), GREY, np.uint8)
    canvas[top : top + new_h, left : left + new_w] = cv2.resize(image, (new_w, new_h), interpolation=cv2.INTER_LINEAR)
    return canvas, scale, (left, top)


def find(
    image: BgrImage, raw: Raw, *, size_px: int, classes: Sequence[int], confidence: float, nms_iou: float = NMS_IOU
) -> Detections:
    """Detections in pixels of the image; class k of the result is row classes[k] of the scores."""
    canvas, scale, margin = letterbox(image, size_px)
    scores, distribution = raw(canvas)
    scores = scores[list(classes)]
    class_id, cell = np.nonzero(scores >= confidence)
    best = np.argsort(-scores[class_id, cell], kind="stable")[:1000]
    class_id, cell = class_id[best], cell[best]
    xyxy = (grid.boxes(distribution, size_px, size_px)[cell] - np.tile(margin, 2)) / scale
    xyxy = boxes.clip(xyxy.astype(np.float32), width_px=image.shape[1], height_px=image.shape[0])
    found = Detections(xyxy.astype(np.float32), scores[class_id, cell].astype(np.float32), class_id.astype(np.int32))
    return found[staying(found.xyxy, found.class_id, nms_iou)]


def staying(xyxy: Floats, kind: npt.NDArray[np.int32], nms_iou: float) -> npt.NDArray[np.bool_]:
    """Of boxes of one kind that overlap more than `nms_iou` the best stays; they come best first. (N,)."""
    apart = xyxy + kind[:, None].astype(np.float32) * 10_000  # kinds do not meet
    overlap = boxes.iou(apart, apart) > nms_iou
    stays = np.ones(len(xyxy), np.bool_)
    for row in range(len(xyxy)):
        if stays[row]:
            stays[row + 1 :] &= ~overlap[row, row + 1 :]
    return stays
