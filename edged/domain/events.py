"""What a person cares about: events."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

Point = tuple[float, float]
"""x, y in pixels of the frame."""

Box = tuple[float, float, float, float]
"""xyxy in pixels of the frame."""


class EventKind(str, Enum):
    """What can happen."""

    APPEARED = "appeared"  # an object has been in view for the minimum time
    LEFT = "left"  # an object that appeared is gone

    def __str__(self) -> str:
        return self.value


class LeftReason(str, Enum):
    """Why a `left` was said."""

    GONE = "gone"  # the object was not seen any more
    ENDED = "ended"  # it was still in view when watching ended (a file's end, a clean stop)

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, as a rule tells it.

    `at` is when it happened, not when it was noticed: for `left`, the last time that the object was seen.
    """

    kind: EventKind
    camera: str
    at: float  # monotonic seconds
    track_id: int  # unique within camera and run
    label: str  # majority vote over the track, weighted by confidence
    confidence: float  # mean over the detections that voted for the label, 0..1
    xyxy: Box  # at `at`
    entry_xy: Point  # where the object's foot (bottom centre) was first seen
    exit_xy: Point | None  # where it was last seen; None while it is in view
    started_at: float  # monotonic seconds of the first sighting
    duration_s: float  # from the first sighting to `at`
    reason: LeftReason | None = None  # of a `left`; None for every other kind


@dataclass(frozen=True, slots=True)
class EventRecord:
    """An event as the log keeps it."""

    event_id: str  # UUIDv7: unique, and sorts by time of writing
    event: Event
    wall_at: float  # seconds since 1970-01-01 UTC, by the wall clock when it was logged
    boot_id: str  # the boot in which event.at counts
    run_id: str  # the run of the daemon in which event.track_id counts
    snapshot: str | None  # path below the data folder, JPEG
