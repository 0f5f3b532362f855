"""Events as people read them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from edged.cli.durations import in_words
from edged.domain.events import EventRecord

_NAMES = ("time", "camera", "event", "label", "sure", "for", "snapshot")


def columns(record: EventRecord, folder: Path) -> tuple[str, ...]:
    """An event's cells: local time, camera, kind, label, confidence, duration, the picture's path."""
    event = record.event
    return (
        datetime.fromtimestamp(record.wall_at).astimezone().strftime("%Y-%m-%d %H:%M:%S"),
        event.camera,
        event.kind.value,
        event.label,
        f"{event.confidence:.0%}",
        in_words(event.duration_s),
        "" if record.snapshot is None else str(folder / record.snapshot),
    )


def show(records: Sequence[EventRecord], folder: Path) -> None:
    """Print a table, and how many events are in it."""
    from rich import box
    from rich.table import Table

    from edged.cli.console import stdout_console

    console = stdout_console()
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in _NAMES:
        table.add_column(name, justify="right" if name in ("sure", "for") else "left", overflow="fold")
    for record in records:
        table.add_row(*columns(record, folder))
    if records:
        console.print(table)
    console.print("1 event" if len(records) == 1 else f"{len(records)} events")
