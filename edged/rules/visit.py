"""One object's stay in view, put together from the sightings of its track or tracks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from edged.domain.events import Box, Point
from edged.domain.tracks import Track, TrackState

_PACE_OVER_S = 0.5  # velocity is measured over this long at least, so that jitter of the boxes does not count as motion


def is_usable(track: Track) -> bool:
    """Tell whether a sighting can be counted: a box with an inside, and finite numbers."""
    left, top, right, bottom = track.xyxy
    return left < right and top < bottom and math.isfinite(left + top + right + bottom + track.confidence)


def foot(xyxy: Box) -> Point:
    """Return where a box stands: the middle of its lower edge."""
    left, _, right, bottom = xyxy
    return (left + right) / 2, bottom


def centre(xyxy: Box) -> Point:
    """Return the middle of a box."""
    left, top, right, bottom = xyxy
    return (left + right) / 2, (top + bottom) / 2


@dataclass(slots=True)
class _Tally:
    """The votes for one class."""

    weight: float = 0.0  # sum of the confidences
    count: int = 0


@dataclass(slots=True)
class Visit:
    """One object's stay in view. Its size does not grow with its length."""

    track_id: int  # of its first track: the name that events give it
    started_at: float  # monotonic seconds since which its first track counts
    entry_at: float  # of the first sighting; later than started_at for who was glimpsed before
    entry_xyxy: Box  # at entry_at
    seen_at: float = -math.inf  # monotonic seconds of the last sighting
    xyxy: Box = (0.0, 0.0, 0.0, 0.0)  # at seen_at
    confirmed: bool = False  # by the tracker, at the last sighting
    appeared: bool = False  # has been told
    _votes: dict[int, _Tally] = field(default_factory=dict)
    _marks: list[tuple[float, Point]] = field(default_factory=list)  # instant and centre, two at most, for the velocity

    @staticmethod
    def begin(track: Track) -> Visit:
        """Start from a track's first usable sighting."""
        visit = Visit(
            track_id=track.track_id, started_at=track.started_at, entry_at=track.seen_at, entry_xyxy=track.xyxy
        )
        visit.see(track)
        return visit

    def see(self, track: Track) -> None:
        """Count a sighting. One that is not newer than the last is the same one again."""
        if track.seen_at <= self.seen_at:
            return
        self.seen_at = track.seen_at
        self.xyxy = track.xyxy
        self.confirmed = track.state is TrackState.CONFIRMED
        tally = self._votes.get(track.class_id)
        if tally is None:
            tally = self._votes[track.class_id] = _Tally()
        tally.weight += track.confidence
        tally.count += 1
        if not self._marks or self.seen_at - self._marks[-1][0] >= _PACE_OVER_S:
            self._marks = [*self._marks[-1:], (self.seen_at, centre(self.xyxy))]

    def go_on_as(self, later: Visit) -> None:
        """Take in a later visit that turned out to be the same object."""
        for class_id, tally in later._votes.items():
            own = self._votes.setdefault(class_id, _Tally())
            own.weight += tally.weight
            own.count += tally.count
        self.seen_at = later.seen_at
        self.xyxy = later.xyxy
        self.confirmed = later.confirmed
        self._marks = later._marks

    @property
    def votes(self) -> Mapping[int, object]:
        """The classes that at least one sighting spoke for."""
        return self._votes

    @property
    def class_id(self) -> int:
        """The class with the most votes, weighted by confidence; the lower number where two are level."""
        return min(self._votes, key=lambda class_id: (-self._votes[class_id].weight, class_id))

    @property
    def confidence(self) -> float:
        """Mean confidence of the sightings that voted for class_id, 0..1."""
        tally = self._votes[self.class_id]
        return tally.weight / tally.count

    @property
    def velocity(self) -> Point:
        """Pixels a second of the box's centre, over the last 0.5 to 1 s; zero while that is too short to tell."""
        at, (x, y) = self._marks[0]
        span_s = self.seen_at - at
        if span_s < _PACE_OVER_S:
            return 0.0, 0.0
        now_x, now_y = centre(self.xyxy)
        return (now_x - x) / span_s, (now_y - y) / span_s
