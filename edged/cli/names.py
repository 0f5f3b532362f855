"""Says when a camera or a label that was asked for is none of the log's: mistyped, most likely."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from edged.domain.events import TrackEvent

if TYPE_CHECKING:
    from edged.store.reader import EventLog

_LOOKED_AT = 1000  # events, so that a long log is not read for the sake of a hint


def tell_unknown_names(log: EventLog, *, camera: str | None, label: str | None) -> None:
    """Tell on stderr which of the two is in no event, and those of the newest events. Raises as EventLog does."""
    from edged.store.reader import EventFilter

    if camera is not None and not log.newest(EventFilter(camera=camera), limit=1):
        _tell("camera", camera, {record.event.camera for record in log.newest(limit=_LOOKED_AT) if record.event.camera})
    if label is not None and not log.newest(EventFilter(label=label), limit=1):
        events = [record.event for record in log.newest(limit=_LOOKED_AT)]
        _tell("label", label, {event.label for event in events if isinstance(event, TrackEvent)})


def _tell(what: str, name: str, known: set[str]) -> None:
    if known:
        names = ", ".join(sorted(known))
        typer.echo(f"No event in the log is of the {what} {name!r}; its newest are of: {names}.", err=True)
