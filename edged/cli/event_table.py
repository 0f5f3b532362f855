"""Events as people read them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from edged.cli.durations import in_words
from edged.domain.events import EventRecord

_NAMES = ("time", "camera", "event", "label", "sure", "for")
_TO_THE_RIGHT = ("sure", "for")
_GAP = "  "


def columns(record: EventRecord) -> tuple[str, ...]:
    """An event's cells: local time, camera, kind, label, confidence, duration."""
    event = record.event
    return (
        datetime.fromtimestamp(record.wall_at).astimezone().strftime("%Y-%m-%d %H:%M:%S"),
        event.camera,
        event.kind.value,
        event.label,
        f"{event.confidence:.0%}",
        in_words(event.duration_s),
    )


def show(records: Sequence[EventRecord], folder: Path, *, more: bool) -> None:
    """Print a table, where its pictures are, and how many events are in it; `more` says that the log holds others.

    A picture that does not fit beside its event is on a line of its own, which is never broken, so it can be copied.
    """
    from edged.cli.console import stdout_console

    console = stdout_console()
    pictures = [record.snapshot or "" for record in records]
    lines = _aligned([_NAMES, *map(columns, records)])
    fits = len(lines[0]) + len(_GAP) + max(map(len, pictures), default=0) <= console.width
    if records:
        console.print(lines[0] + (f"{_GAP}snapshot" if fits and any(pictures) else ""), style="bold")
    for line, picture in zip(lines[1:], pictures, strict=True):
        if fits:
            console.print(f"{line}{_GAP}{picture}".rstrip())
            continue
        console.print(line)
        if picture:
            console.print(f"{_GAP}{picture}", soft_wrap=True)
    if any(pictures):
        console.print(f"snapshots are below {folder.absolute()}", soft_wrap=True)
    console.print(_how_many(len(records), more=more))


def _how_many(count: int, *, more: bool) -> str:
    if more:
        return f"the newest {count}; --limit N shows more"
    return "1 event" if count == 1 else f"{count} events"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    from rich.cells import cell_len, set_cell_size

    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]

    def aligned(name: str, cell: str, width: int) -> str:
        return " " * (width - cell_len(cell)) + cell if name in _TO_THE_RIGHT else set_cell_size(cell, width)

    return [_GAP.join(map(aligned, _NAMES, row, widths)) for row in rows]
