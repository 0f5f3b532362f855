"""The best picture of each track, for its events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from edged.domain.events import Box
from edged.domain.frame import BgrImage, Frame
from edged.domain.tracks import Track, Tracks, TrackState

Crop = Callable[[Frame, Box], BgrImage]
"""Cut a box with some margin out of a frame, as a copy. Raises FrameCorrupt."""

EncodeJpeg = Callable[[BgrImage], bytes]

_BETTER_BY = 1.2**2  # a new shot must beat the old one by this factor, so that a slow approach is no copy a frame


@dataclass(slots=True)
class _Shot:
    score: float
    image: BgrImage


class BestShots:
    """Keeps one crop an object: large, confident, and whole rather than cut off by the frame's edge.

    An object goes by the track_id that its events bear, though it may have gone on as another track.
    The JPEG is made only when an event asks for it.
    """

    def __init__(self, *, crop: Crop, encode: EncodeJpeg) -> None:
        self._crop = crop
        self._encode = encode
        self._shots: dict[int, _Shot] = {}
        self._names: Mapping[int, int] = {}

    def offer(self, tracks: Tracks, frame: Frame) -> None:
        """Look at the tracks that were seen in this frame; its picture is decoded where one of them looks better.

        `tracks` and `frame` are of the same instant. Raises FrameCorrupt.
        """
        for track in tracks:
            if track.state is TrackState.CONFIRMED and track.seen_at == tracks.at:
                name = self._names.get(track.track_id, track.track_id)
                shot, score = self._shots.get(name), _score(track, frame)
                if shot is None or score > shot.score * _BETTER_BY:
                    self._shots[name] = _Shot(score, self._crop(frame, track.xyxy))

    def jpeg(self, track_id: int) -> bytes | None:
        """The object's best shot as a JPEG; None when there is none."""
        shot = self._shots.get(track_id)
        return None if shot is None else self._encode(shot.image)

    def keep_only(self, names: Mapping[int, int]) -> None:
        """Forget the shots of all tracks but these, and go on with the name that each is given here."""
        if names == self._names and self._shots.keys() <= names.keys():
            return
        shots, self._shots, self._names = self._shots, {}, names
        for track_id, shot in shots.items():
            name = names.get(track_id)
            if name is not None and (name not in self._shots or shot.score > self._shots[name].score):
                self._shots[name] = shot


def _score(track: Track, frame: Frame) -> float:
    """Confidence squared times the box's area in pixels, a quarter of it where the box touches the picture's edge."""
    left, top, right, bottom = track.xyxy
    whole = left > 1 and top > 1 and right < frame.width_px - 1 and bottom < frame.height_px - 1
    return track.confidence**2 * (right - left) * (bottom - top) * (1.0 if whole else 0.25)
