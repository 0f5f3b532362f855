"""The best picture of each track, for its events."""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import dataclass

import numpy as np

from edged.domain.boxes import FloatArray, area
from edged.domain.events import Box
from edged.domain.frame import BgrImage
from edged.domain.tracks import Tracks, TrackState

Crop = Callable[[BgrImage, Box], BgrImage]
"""Cut a box with some margin out of an image, as a copy."""

EncodeJpeg = Callable[[BgrImage], bytes]

_BETTER_BY = 1.2  # a new shot must beat the old one by this factor, so that a slow approach is not a copy a frame


@dataclass(slots=True)
class _Shot:
    score: float
    image: BgrImage


class BestShots:
    """Keeps one crop a track: large, confident, and whole rather than cut off by the frame's edge.

    The JPEG is made only when an event asks for it.
    """

    def __init__(self, *, crop: Crop, encode: EncodeJpeg) -> None:
        self._crop = crop
        self._encode = encode
        self._shots: dict[int, _Shot] = {}

    def offer(self, tracks: Tracks, image: BgrImage) -> None:
        """Look at the tracks that were seen in this image. `tracks` and `image` are of the same instant."""
        seen = np.flatnonzero((tracks.state == TrackState.CONFIRMED) & (tracks.seen_at == tracks.at))
        boxes = tracks.xyxy[seen]
        scores = tracks.confidence[seen] * _worth(boxes, image)
        for track_id, score, xyxy in zip(tracks.track_id[seen].tolist(), scores.tolist(), boxes.tolist(), strict=True):
            shot = self._shots.get(track_id)
            if shot is None or score > shot.score * _BETTER_BY:
                self._shots[track_id] = _Shot(score, self._crop(image, tuple(xyxy)))

    def jpeg(self, track_id: int) -> bytes | None:
        """The track's best shot as a JPEG; None when there is none."""
        shot = self._shots.get(track_id)
        return None if shot is None else self._encode(shot.image)

    def keep_only(self, track_ids: Set[int]) -> None:
        """Forget the shots of all other tracks: no event will ask for them."""
        for track_id in self._shots.keys() - track_ids:
            del self._shots[track_id]


def _worth(xyxy: FloatArray, image: BgrImage) -> FloatArray:
    """Each box's side in pixels, halved where it touches the picture's edge."""
    height_px, width_px = image.shape[:2]
    cut = (xyxy[:, :2] <= 1).any(axis=1) | (xyxy[:, 2:] >= (width_px - 1, height_px - 1)).any(axis=1)
    return np.asarray(np.sqrt(area(xyxy)) * np.where(cut, 0.5, 1.0))
