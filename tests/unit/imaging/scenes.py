"""Tracks and pictures for the imaging tests."""

from __future__ import annotations

import numpy as np

from edged.domain.frame import BgrImage
from edged.domain.tracks import Tracks, TrackState


def grey(width_px: int = 320, height_px: int = 240) -> BgrImage:
    return np.full((height_px, width_px, 3), 100, np.uint8)


def one_track(
    *,
    at: float = 0.0,
    track_id: int = 1,
    xyxy: tuple[float, float, float, float] = (100, 100, 140, 200),
    state: TrackState = TrackState.CONFIRMED,
    class_id: int = 0,
) -> Tracks:
    return Tracks(
        at,
        np.array([track_id], np.int64),
        np.array([state], np.int8),
        np.array([xyxy], np.float32),
        np.array([0.9], np.float32),
        np.array([class_id], np.int32),
        np.zeros(1),
        np.array([at]),
    )
