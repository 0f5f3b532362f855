"""`edged events`: what happened."""

from __future__ import annotations

import itertools
import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edged.cli.follow import newer, tell_left_out
from edged.cli.holder import holder
from edged.cli.names import tell_unknown_names
from edged.cli.when import wall_instant
from edged.cli.where import ConfigOption, DataOption, data_folder
from edged.clock import SystemClock
from edged.domain.events import EventKind, EventRecord

if TYPE_CHECKING:
    from edged.store.reader import EventFilter, EventLog

Text = str | None
Names = list[str] | None
Kinds = list[EventKind] | None
_KINDS = f"[{'|'.join(EventKind)}]"


def events(
    config: ConfigOption = None,
    data: DataOption = None,
    since: Annotated[Text, typer.Option(metavar="WHEN", help="Events from then on: 2h, 3d, today, 2026-11-20.")] = None,
    until: Annotated[Text, typer.Option(metavar="WHEN", help="Events before then; a day means its end.")] = None,
    camera: Annotated[Names, typer.Option(metavar="NAME", help="Events of this camera, or of any of several.")] = None,
    kind: Annotated[Kinds, typer.Option(metavar=_KINDS, help="Events of this kind, or of any of several.")] = None,
    label: Annotated[
        Names,
        typer.Option(metavar="LABEL", help="Events of this kind of object, such as person, or of any of several."),
    ] = None,
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=1_000_000, help="The newest so many.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with new events until Ctrl-C.")] = False,
) -> None:
    """List what happened, oldest first. The daemon may run meanwhile.

    WHEN is a time ago (90s, 15m, 2h, 3d, 1w), today, yesterday, or a date or time in this machine's time zone.

    Example: edged events --since yesterday --label person
    """
    from edged.store.reader import EventFilter, EventLog

    clock = SystemClock()
    folder = data_folder(config, data)
    begin = None if since is None else wall_instant(since, wall_now=clock.wall())
    end = None if until is None else wall_instant(until, wall_now=clock.wall(), end_of_day=True)
    if begin is not None and end is not None and begin >= end:
        raise typer.BadParameter(f"nothing is both after --since {since} and before --until {until}")
    if follow and until is not None:
        raise typer.BadParameter(
            "--follow goes on with new events for ever, and --until has an end: give one of the two"
        )
    cameras, labels = camera or (), label or ()
    wanted = EventFilter(since_wall_at=begin, until_wall_at=end, cameras=cameras, kinds=kind or (), labels=labels)
    log = EventLog(folder)
    tell_unknown_names(log, cameras=cameras, labels=labels)
    if follow:
        _follow(log, wanted, folder, limit=limit, write=_json_line if as_json else _text_line(folder))
        return
    found = log.newest(wanted, limit=limit + 1)
    _print(found[-limit:], folder, as_json=as_json, more=len(found) > limit)
    tell_left_out(log)


def _follow(
    log: EventLog, wanted: EventFilter, folder: Path, *, limit: int, write: Callable[[EventRecord], None]
) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        last_id = log.last_event_id()  # asked first, so that nothing is passed over that is written meanwhile
        records = log.newest(wanted, limit=limit)
        after = max((last_id, *(record.event_id for record in records)))
        coming = newer(log, wanted, after=after, clock=SystemClock(), is_running=lambda: holder(folder) is not None)
        tell_left_out(log)
        for record in itertools.chain(records, coming):
            write(record)
    except KeyboardInterrupt:
        return


def _print(records: list[EventRecord], folder: Path, *, as_json: bool, more: bool) -> None:
    if as_json:
        for record in records:
            _json_line(record)
        return
    from edged.cli.event_table import show

    show(records, folder, more=more)


def _json_line(record: EventRecord) -> None:
    from edged.store.record_json import record_to_json

    typer.echo(json.dumps(record_to_json(record)))


def _text_line(folder: Path) -> Callable[[EventRecord], None]:
    from edged.cli.event_table import columns, sentence

    def write(record: EventRecord) -> None:
        note = sentence(record) if record.snapshot is None else str(folder / record.snapshot)
        typer.echo("  ".join([*filter(None, columns(record)), *filter(None, [note])]))

    return write
