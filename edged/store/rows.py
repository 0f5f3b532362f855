"""An event as a row of the table, and back."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from typing import Any

from edged.domain.events import (
    CAMERA_KINDS,
    MACHINE_KINDS,
    CameraEvent,
    Event,
    EventKind,
    EventRecord,
    LeftReason,
    MachineEvent,
    TrackEvent,
)
from edged.store.ids import is_id

Row = tuple[Any, ...]

COLUMNS = (
    "event_id",
    "run_id",
    "kind",
    "camera",
    "label",
    "confidence",
    "wall_at",
    "at",
    "started_at",
    "duration_s",
    "track_id",
    "left_px",
    "top_px",
    "width_px",
    "height_px",
    "entry_x",
    "entry_y",
    "exit_x",
    "exit_y",
    "reason",
    "detail",
    "snapshot",
)
"""What record_to_row gives, in the table's order; the table's last column, snapshot_bytes, is the writer's own."""

OBJECT_COLUMNS = (
    "label",
    "confidence",
    "track_id",
    "left_px",
    "top_px",
    "width_px",
    "height_px",
    "entry_x",
    "entry_y",
    "exit_x",
    "exit_y",
)
"""Those that are NULL of an event about a camera or the machine itself; of the latter, `camera` is empty."""

# An id that is there already was written by an attempt whose commit only seemed to fail.
INSERT = (
    f"INSERT INTO events ({', '.join(COLUMNS)}, snapshot_bytes) VALUES ({', '.join('?' * (len(COLUMNS) + 1))}) "
    "ON CONFLICT (event_id) DO NOTHING"
)

# An event whose run is damaged, or whose run_id, is an event all the same.
SELECT = (
    f"SELECT {', '.join(f'events.{column}' for column in COLUMNS)}, boot_id FROM events LEFT JOIN runs USING (run_id)"
)

UNKNOWN = "unknown"
"""The boot of a run that cannot be read any more."""


def record_to_row(record: EventRecord) -> Row:
    """COLUMNS of a record, in types that SQLite takes (a numpy number it would refuse).

    Raises ValueError or OverflowError on a number that row_to_record would refuse.
    """
    event = record.event
    values = {
        "event_id": record.event_id,
        "run_id": record.run_id,
        "kind": event.kind.value,
        "camera": event.camera,
        "wall_at": _number(record.wall_at),
        "at": _number(event.at),
        "started_at": _number(event.started_at),
        "duration_s": _number(event.duration_s),
        "snapshot": record.snapshot,
        **(_of_track(event) if isinstance(event, TrackEvent) else _of_trouble(event)),
    }
    return tuple(values.get(column) for column in COLUMNS)


def row_to_record(row: Row) -> EventRecord:
    """Undo record_to_row, for COLUMNS and the boot's id.

    Raises ValueError, TypeError or OverflowError on a row without sense: a number that is none, a time without a date.
    """
    values = dict(zip((*COLUMNS, "boot_id"), row, strict=True))
    if not is_id(values["event_id"]):
        raise ValueError(f"an event's id expected, found {values['event_id']!r}")
    day_of(_number(values["wall_at"]))
    return EventRecord(
        event_id=values["event_id"],
        event=_event(values),
        wall_at=_number(values["wall_at"]),
        boot_id=values["boot_id"] if isinstance(values["boot_id"], str) else UNKNOWN,
        run_id=_text(values["run_id"]),
        snapshot=_text_or_none(values["snapshot"]),
    )


def _of_trouble(event: CameraEvent | MachineEvent) -> Mapping[str, Any]:
    return {"reason": event.reason, "detail": event.detail}


def _of_track(event: TrackEvent) -> Mapping[str, Any]:
    left, top, right, bottom = (_number(side) for side in event.xyxy)
    exit_x, exit_y = (None, None) if event.exit_xy is None else (_number(event.exit_xy[0]), _number(event.exit_xy[1]))
    return {
        "label": event.label,
        "confidence": _number(event.confidence),
        "track_id": int(event.track_id),
        "left_px": left,
        "top_px": top,
        "width_px": right - left,
        "height_px": bottom - top,
        "entry_x": _number(event.entry_xy[0]),
        "entry_y": _number(event.entry_xy[1]),
        "exit_x": exit_x,
        "exit_y": exit_y,
        "reason": None if event.reason is None else event.reason.value,
    }


def _event(values: Mapping[str, Any]) -> Event:
    kind = EventKind(values["kind"])
    if kind in CAMERA_KINDS:
        return CameraEvent(
            kind=kind,
            camera=_text(values["camera"]),
            at=_number(values["at"]),
            started_at=_number(values["started_at"]),
            reason=_text(values["reason"]),
            detail=_text_or_none(values["detail"]),
        )
    if kind in MACHINE_KINDS:
        return MachineEvent(
            kind=kind,
            at=_number(values["at"]),
            started_at=_number(values["started_at"]),
            reason=_text(values["reason"]),
            detail=_text_or_none(values["detail"]),
        )
    left, top = _number(values["left_px"]), _number(values["top_px"])
    return TrackEvent(
        kind=kind,
        camera=_text(values["camera"]),
        at=_number(values["at"]),
        track_id=int(values["track_id"]),
        label=_text(values["label"]),
        confidence=_number(values["confidence"]),
        xyxy=(left, top, left + _number(values["width_px"]), top + _number(values["height_px"])),
        entry_xy=(_number(values["entry_x"]), _number(values["entry_y"])),
        exit_xy=None if values["exit_x"] is None else (_number(values["exit_x"]), _number(values["exit_y"])),
        started_at=_number(values["started_at"]),
        duration_s=_number(values["duration_s"]),
        reason=None if values["reason"] is None else LeftReason(values["reason"]),
    )


def snapshot_path(event_id: str, wall_at: float) -> str:
    """Where an event's snapshot lies below the data folder: one folder a day (UTC)."""
    return f"snapshots/{day_of(wall_at)}/{event_id}.jpg"


def day_of(wall_at: float) -> str:
    """Return the date, UTC, as YYYY-MM-DD. Raises ValueError or OverflowError where there is none: after 9999, say."""
    return datetime.datetime.fromtimestamp(wall_at, datetime.timezone.utc).date().isoformat()


def _number(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"a finite number expected, found {value!r}")
    return number


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"text expected, found {value!r}")
    return value


def _text_or_none(value: object) -> str | None:
    return None if value is None else _text(value)
