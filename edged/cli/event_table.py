"""Events as people read them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edged.cli.durations import in_words
from edged.cli.when import local
from edged.domain.events import ENDS, EventRecord, TrackEvent
from edged.domain.words import counted

_NAMES = ("time", "camera", "event", "what", "sure", "for")
_TO_THE_RIGHT = ("sure", "for")
_GAP = "  "


def columns(record: EventRecord) -> tuple[str, ...]:
    """An event's cells: local time, camera, kind, label or trouble, confidence, duration."""
    event = record.event
    time = local(record.wall_at).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(event, TrackEvent):
        what = (event.label, f"{event.confidence:.0%}", in_words(event.duration_s))
    else:
        what = (event.reason, "", in_words(event.duration_s) if event.kind in ENDS else "")
    return (time, event.camera, event.kind.value, *what)


def sentence(record: EventRecord) -> str | None:
    """What is to be told beyond an event's cells: a camera's trouble, or the machine's."""
    return None if isinstance(record.event, TrackEvent) else record.event.detail


def show(records: Sequence[EventRecord], folder: Path, *, more: bool) -> None:
    """Print a table, where its pictures are, and how many events are in it; `more` says that the log holds others.

    A picture or sentence that does not fit beside its event is on a line of its own. There a picture's path is never
    broken, so it can be copied.
    """
    from edged.cli.console import stdout_console

    console = stdout_console()
    notes = [record.snapshot or sentence(record) or "" for record in records]
    has_pictures = any(record.snapshot for record in records)
    lines = _aligned([_NAMES, *map(columns, records)])
    fits = len(lines[0]) + len(_GAP) + max(map(len, notes), default=0) <= console.width
    if records:
        console.print(lines[0] + (f"{_GAP}snapshot" if fits and has_pictures else ""), style="bold")
    for record, line, note in zip(records, lines[1:], notes, strict=True):
        if fits:
            console.print(f"{line}{_GAP}{note}".rstrip())
            continue
        console.print(line)
        if note:
            console.print(f"{_GAP}{note}", soft_wrap=record.snapshot is not None)
    if has_pictures:
        console.print(f"snapshots are below {folder.absolute()}", soft_wrap=True)
    console.print(_how_many(len(records), more=more))


def _how_many(count: int, *, more: bool) -> str:
    if more:
        return f"the newest {count}; --limit N shows more"
    return counted(count, "event")


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    from rich.cells import cell_len, set_cell_size

    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]

    def aligned(name: str, cell: str, width: int) -> str:
        return " " * (width - cell_len(cell)) + cell if name in _TO_THE_RIGHT else set_cell_size(cell, width)

    return [_GAP.join(map(aligned, _NAMES, row, widths)) for row in rows]
