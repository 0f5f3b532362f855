"""Non-maximum suppression: of boxes of one class that overlap, only the most confident stays."""

from __future__ import annotations

import numpy as np

from edged.domain import boxes
from edged.domain.detections import Detections

MAX_CANDIDATES = 1000
"""Only so many of the most confident boxes are compared with each other: 1000 need about 20 MB for a moment, and no
picture has as many objects."""


def suppress(found: Detections, *, iou: float, max_detections: int, max_candidates: int = MAX_CANDIDATES) -> Detections:
    """Keep the best of overlapping boxes, class by class, most confident first; equal confidences keep their order.

    A box goes when its IoU with a better box of its class that stays is above `iou` (0..1). At most `max_detections`
    boxes stay.
    """
    ranked = best(found, max_candidates)
    if len(ranked) < 2:
        return ranked[:max_detections]
    # Comparing the classes instead of shifting each class to a place of its own keeps the coordinates exact.
    rivals = ranked.class_id[:, None] == ranked.class_id[None, :]
    rivals &= boxes.iou(ranked.xyxy, ranked.xyxy) > iou
    stays = np.ones(len(ranked), np.bool_)
    for row in (rivals.sum(axis=1) > 1).nonzero()[0]:  # every box is its own rival
        if stays[row]:
            stays[row + 1 :] &= ~rivals[row, row + 1 :]
    return ranked[stays.nonzero()[0][:max_detections]]


def best(found: Detections, count: int) -> Detections:
    """The `count` most confident, in that order; equal confidences keep their order."""
    return found[np.argsort(-found.confidence, kind="stable")[:count]]
