"""Non-maximum suppression: of boxes of one class that overlap, only the most confident stays."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from edged.domain.detections import Detections

_MAX_CANDIDATES = 1000
"""Only so many of the most confident boxes are compared with each other; no picture has as many objects."""

_NO_SCORE = -1.0  # OpenCV's own threshold of confidence, which the head has applied already


def suppress(found: Detections, *, iou: float, max_detections: int) -> Detections:
    """Keep the best of overlapping boxes, class by class, most confident first; equal confidences keep their order.

    A box goes when its IoU with a better box of its class that stays is above `iou` (0..1). Of boxes without area
    the best stays, whatever their classes. At most `max_detections` boxes stay.
    """
    if len(found) > _MAX_CANDIDATES:
        found = best(found, _MAX_CANDIDATES)
    # OpenCV moves each class to a place of its own, one beside the other: none may reach left of or above 0. It reckons
    # in float64, so one box that lies far off leaves the others as they are. Sides below 0 would count against them.
    corners_and_sides: Any = found.xyxy.astype(np.float64)
    corners, sides = corners_and_sides[:, :2], corners_and_sides[:, 2:]
    sides -= corners
    np.maximum(sides, 0.0, out=sides)
    corners -= corners.min(initial=0.0)
    confidence: Any = found.confidence
    class_id: Any = found.class_id
    stays = cv2.dnn.NMSBoxesBatched(corners_and_sides, confidence, class_id, _NO_SCORE, iou)
    return found[np.asarray(stays[:max_detections], np.intp)]


def best(found: Detections, count: int) -> Detections:
    """The `count` most confident, in that order; equal confidences keep their order."""
    return found[np.argsort(-found.confidence, kind="stable")[:count]]
