"""Says when a camera or a label that was asked for is none of the log's: mistyped, most likely."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from edged.domain.events import TrackEvent

if TYPE_CHECKING:
    from edged.store.reader import EventLog

_LOOKED_AT = 1000  # events, so that a long log is not read for the sake of a hint


def tell_unknown_names(log: EventLog, *, cameras: Sequence[str], labels: Sequence[str]) -> None:
    """Tell on stderr which of them are in no event, and those of the newest events. Raises as EventLog does."""
    from edged.store.reader import EventFilter

    for camera in cameras:
        if not log.newest(EventFilter(cameras=[camera]), limit=1):
            events = [record.event for record in log.newest(limit=_LOOKED_AT)]
            _tell("camera", camera, {event.camera for event in events if event.camera})
    for label in labels:
        if not log.newest(EventFilter(labels=[label]), limit=1):
            events = [record.event for record in log.newest(limit=_LOOKED_AT)]
            _tell("label", label, {event.label for event in events if isinstance(event, TrackEvent)})


def _tell(what: str, name: str, known: set[str]) -> None:
    if known:
        names = ", ".join(sorted(known))
        typer.echo(f"No event in the log is of the {what} {name!r}; its newest are of: {names}.", err=True)
