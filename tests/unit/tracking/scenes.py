"""Small scenes for the tests of the tracker."""

from __future__ import annotations

from typing import Any

import numpy as np

from edged.domain.detections import Detections
from edged.tracking.bytetrack import ByteTrack

FRAME_S = 1 / 30

Box = tuple[float, float, float, float]


def make_tracker(**settings: Any) -> ByteTrack:
    """Make a tracker with the paper's settings, but for `settings`."""
    paper: dict[str, Any] = {
        "high_confidence": 0.6,
        "low_confidence": 0.1,
        "new_track_confidence": 0.7,
        "match_cost_max": 0.9,
        "lost_after_s": 1.0,
    }
    return ByteTrack(**(paper | settings))


def seen(*boxes: Box, confidence: float = 0.9, class_id: int = 0) -> Detections:
    """Detections of these boxes, alike in confidence and class."""
    return Detections(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.full(len(boxes), confidence, np.float32),
        np.full(len(boxes), class_id, np.int32),
    )


def walker(at: float, *, speed_px_s: float = 150.0, left: float = 100.0) -> Box:
    """Somebody 40 × 100 px in size who walks to the right, at the instant `at`."""
    x = left + speed_px_s * at
    return (x, 200.0, x + 40.0, 300.0)
