"""Tracks for tests of what comes after the tracker."""

from __future__ import annotations

import numpy as np

from edged.domain.tracks import Tracks, TrackState

Box = tuple[float, float, float, float]


def tracks_of(
    at: float,
    boxes: dict[int, Box],
    *,
    confidence: float = 0.9,
    state: TrackState = TrackState.CONFIRMED,
    class_id: int = 0,
    started_at: float = 0.0,
    seen_at: float | None = None,
) -> Tracks:
    """Tracks by id, all alike but for their boxes; seen just now where nothing else is said."""
    count = len(boxes)
    return Tracks(
        at,
        np.array(list(boxes), np.int64),
        np.full(count, state, np.int8),
        np.array(list(boxes.values()), np.float32).reshape(-1, 4),
        np.full(count, confidence, np.float32),
        np.full(count, class_id, np.int32),
        np.full(count, started_at, np.float64),
        np.full(count, at if seen_at is None else seen_at, np.float64),
    )
