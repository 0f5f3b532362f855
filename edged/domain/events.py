"""What a person cares about: events."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

Point = tuple[float, float]
"""x, y in pixels of the frame."""

Box = tuple[float, float, float, float]
"""xyxy in pixels of the frame."""


class EventKind(str, Enum):
    """What can happen."""

    APPEARED = "appeared"  # an object has been in view for the minimum time
    LEFT = "left"  # an object that appeared is gone
    CAMERA_LOST = "camera_lost"  # a camera gives no frames
    CAMERA_BACK = "camera_back"  # it does again
    PICTURE_FROZEN = "picture_frozen"  # a camera gives frames, but always the same picture
    PICTURE_BLANK = "picture_blank"  # a camera gives pictures on which there is nothing
    PICTURE_DAMAGED = "picture_damaged"  # a camera gives pictures of which none can be decoded
    PICTURE_OK = "picture_ok"  # it shows something again
    TOO_HOT = "too_hot"  # the machine is so hot that edged looks less often, or not at all
    COOLED_DOWN = "cooled_down"  # it is not any more
    UNDER_VOLTAGE = "under_voltage"  # the machine's supply sags
    VOLTAGE_OK = "voltage_ok"  # it does not any more
    STORAGE_BACK = "storage_back"  # events can be written again, after a while in which they could not
    RESTARTED = "restarted"  # edged runs again after an end that nobody asked for

    def __str__(self) -> str:
        return self.value


class LeftReason(str, Enum):
    """Why a `left` was said."""

    GONE = "gone"  # the object was not seen any more
    ENDED = "ended"  # it was still in view when watching ended (a file's end, a clean stop)

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class TrackEvent:
    """Something that an object did, as a rule tells it.

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
class CameraEvent:
    """Something that befell a camera: it was lost or its picture useless, or that is over.

    `at` is when it happened, not when it was noticed: for `camera_lost`, when the last frame came.
    """

    kind: EventKind  # one of CAMERA_KINDS
    camera: str
    at: float  # monotonic seconds
    started_at: float  # monotonic seconds at which the trouble began: of a beginning, `at` itself
    reason: str  # the trouble in one word, such as SourceError.reason; of an end, the word that its beginning had
    detail: str | None = None  # the trouble in a sentence; None for an end

    @property
    def duration_s(self) -> float:
        """How long the trouble has lasted at `at`: 0 where the event tells of its beginning."""
        return self.at - self.started_at


@dataclass(frozen=True, slots=True)
class MachineEvent:
    """Something that befell the machine or edged itself. Otherwise as CameraEvent."""

    kind: EventKind  # one of MACHINE_KINDS
    at: float  # monotonic seconds
    started_at: float  # monotonic seconds at which the trouble began: of a beginning, `at` itself
    reason: str
    detail: str | None = None

    @property
    def camera(self) -> str:
        """It is about none."""
        return ""

    @property
    def duration_s(self) -> float:
        """As of a CameraEvent."""
        return self.at - self.started_at


MACHINE_KINDS = frozenset(
    {
        EventKind.TOO_HOT,
        EventKind.COOLED_DOWN,
        EventKind.UNDER_VOLTAGE,
        EventKind.VOLTAGE_OK,
        EventKind.STORAGE_BACK,
        EventKind.RESTARTED,
    }
)
"""The kinds of MachineEvent."""

TRACK_KINDS = frozenset({EventKind.APPEARED, EventKind.LEFT})
"""The kinds of TrackEvent."""

CAMERA_KINDS = frozenset(EventKind) - TRACK_KINDS - MACHINE_KINDS
"""The kinds of CameraEvent."""

ENDS = frozenset(
    {
        EventKind.LEFT,
        EventKind.CAMERA_BACK,
        EventKind.PICTURE_OK,
        EventKind.COOLED_DOWN,
        EventKind.VOLTAGE_OK,
        EventKind.STORAGE_BACK,
    }
)
"""The kinds that tell of an end, so that their duration is a whole."""

Event: TypeAlias = TrackEvent | CameraEvent | MachineEvent
"""Something that happened."""


@dataclass(frozen=True, slots=True)
class EventRecord:
    """An event as the log keeps it."""

    event_id: str  # UUIDv7: unique, and sorts by time of writing
    event: Event
    wall_at: float  # seconds since 1970-01-01 UTC, by the wall clock when it was logged
    boot_id: str  # the boot in which event.at counts
    run_id: str  # the run of the daemon in which event.track_id counts
    snapshot: str | None  # path below the data folder, JPEG
