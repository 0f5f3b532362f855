"""Tracks and pictures for the imaging tests."""

from __future__ import annotations

import numpy as np

from edged.domain.frame import BgrImage
from edged.domain.tracks import Tracks, TrackState
from tests.tracks import Box, tracks_of


def grey(width_px: int = 320, height_px: int = 240) -> BgrImage:
    return np.full((height_px, width_px, 3), 100, np.uint8)


def one_track(
    *,
    at: float = 0.0,
    track_id: int = 1,
    xyxy: Box = (100, 100, 140, 200),
    state: TrackState = TrackState.CONFIRMED,
    class_id: int = 0,
) -> Tracks:
    return tracks_of(at, {track_id: xyxy}, state=state, class_id=class_id)
