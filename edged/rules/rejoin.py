"""Is the object that turned up here the one that vanished there a moment ago?

Trackers lose objects: behind a tree, in a run of weak detections, in a crowd. What they then find again is a new track
to them, but the same object to a person. The test here is by time, place, size, way and kind alone, and it is meant to
say no when in doubt: one object told twice is a nuisance, two told as one is a lie.
"""

from __future__ import annotations

import math

from edged.domain.events import Box, Point
from edged.rules.visit import Visit, centre

# Lengths are in units of the object's size: the square root of its area, about half the height of a person who stands.
# On six public sequences of static cameras with ByteTrack these limits joined 13 pairs of tracks, all rightly, and 13
# with one frame of five, 11 rightly. At 0.5 of the size instead of 0.4 it was 18 with 16 rightly: more strangers.
_PLACE_MAX = 0.4  # between where it should have come to and where it turned up
_PACE_CHANGE_MAX_PER_S = 1.25  # between its velocity before and after
_SIZE_RATIO_MAX = 1.4  # between its size before and after


def mismatch(old: Visit, new: Visit, *, within_s: float) -> float | None:
    """Say how badly `new` fits as the continuation of `old`: 0 fits perfectly, None means that it is another object.

    A visit that starts while the other is still being seen never fits.
    """
    gap_s = new.entry_at - old.seen_at
    if not 0 < gap_s <= within_s or not _same_kind(old, new):
        return None
    size, new_size = _size(old.xyxy), _size(new.entry_xyxy)
    if max(size, new_size) > _SIZE_RATIO_MAX * min(size, new_size):
        return None
    scale = (size + new_size) / 2
    if _distance(old.velocity, new.velocity) > _PACE_CHANGE_MAX_PER_S * scale:
        return None
    # Between the two ends it moved at a pace between the two velocities.
    expected = _moved(centre(old.xyxy), _mean(old.velocity, new.velocity), gap_s)
    off = _distance(expected, centre(new.entry_xyxy)) / scale
    return off if off <= _PLACE_MAX else None


def _same_kind(old: Visit, new: Visit) -> bool:
    """A lorry may have been taken for a car now and then, but a person never for a car."""
    return old.class_id in new.votes or new.class_id in old.votes


def _size(xyxy: Box) -> float:
    left, top, right, bottom = xyxy
    return math.sqrt((right - left) * (bottom - top))


def _distance(a: Point, b: Point) -> float:
    return math.hypot(a[0] - b[0], a[1] - b[1])


def _mean(a: Point, b: Point) -> Point:
    return (a[0] + b[0]) / 2, (a[1] + b[1]) / 2


def _moved(start: Point, velocity: Point, for_s: float) -> Point:
    return start[0] + velocity[0] * for_s, start[1] + velocity[1] * for_s
