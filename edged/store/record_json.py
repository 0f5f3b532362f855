"""An event as JSON (docs/events.md)."""

from __future__ import annotations

import datetime
from typing import Any

from edged.domain.events import Box, EventRecord, Point, TrackEvent


def record_to_json(record: EventRecord) -> dict[str, Any]:
    """One event as plain values for json.dumps. Times to the millisecond, pixels to a hundredth.

    All events have the same fields: those that are about an object are None where there is none.
    """
    event = record.event
    track = event if isinstance(event, TrackEvent) else None
    return {
        "event_id": record.event_id,
        "time": iso_utc(record.wall_at),
        "kind": event.kind.value,
        "camera": event.camera or None,
        "label": track and track.label,
        "confidence": track and round(track.confidence, 4),
        "track_id": track and track.track_id,
        "duration_s": round(event.duration_s, 3),
        "reason": None if event.reason is None else str(event.reason),
        "detail": None if isinstance(event, TrackEvent) else event.detail,
        "tlwh": track and _tlwh(track.xyxy),
        "entry_xy": track and _point(track.entry_xy),
        "exit_xy": track and track.exit_xy and _point(track.exit_xy),
        "snapshot": record.snapshot,
        "wall_at": round(record.wall_at, 3),
        "at": round(event.at, 3),
        "started_at": round(event.started_at, 3),
        "boot_id": record.boot_id,
        "run_id": record.run_id,
    }


def iso_utc(wall_at: float) -> str:
    """Seconds since 1970 as 2026-01-31T08:30:00.250Z."""
    time = datetime.datetime.fromtimestamp(wall_at, datetime.timezone.utc)
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _point(xy: Point) -> list[float]:
    return [round(xy[0], 2), round(xy[1], 2)]


def _tlwh(xyxy: Box) -> list[float]:
    left, top, right, bottom = xyxy
    return [round(side, 2) for side in (left, top, right - left, bottom - top)]
