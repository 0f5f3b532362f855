"""`edged events --follow`: what is written from now on."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import typer

from edged.cli.streams import reader_is_gone
from edged.clock import Clock
from edged.domain.events import EventRecord
from edged.errors import StoreError, StoreNewer

if TYPE_CHECKING:
    from edged.store.reader import EventFilter, EventLog

_POLL_S = 1.0
_NO_DAEMON = "The daemon is not running: nothing comes until it is started. Waiting for it."
_BACK = "The daemon is running again."


class _Note:
    """Says on stderr what is wrong, once as long as it lasts, and when a daemon that was gone is back."""

    def __init__(self) -> None:
        self._said: str | None = None

    def __call__(self, trouble: str | None) -> None:
        if trouble not in (None, self._said):
            typer.echo(trouble, err=True)
        if trouble is None and self._said == _NO_DAEMON:
            typer.echo(_BACK, err=True)
        self._said = trouble


def tell_left_out(log: EventLog) -> None:
    """Name the damaged events on stderr that were passed over since the last call."""
    if (damage := log.left_out()) is not None:
        typer.echo(str(damage), err=True)


def newer(
    log: EventLog, wanted: EventFilter, *, after: str, clock: Clock, is_running: Callable[[], bool]
) -> Iterator[EventRecord]:
    """For ever, what is wanted and written after the event `after`, as it comes.

    A daemon that is not running and a file that cannot be read are told on stderr and waited for: the daemon sets a
    damaged file aside and begins another. Raises StoreNewer, for which there is no use in waiting, and BrokenPipeError
    when nobody reads stdout any more.
    """
    never = threading.Event()
    note = _Note()
    while True:
        sys.stdout.flush()
        clock.wait(never, _POLL_S)
        if reader_is_gone():
            raise BrokenPipeError
        trouble = None if is_running() else _NO_DAEMON
        try:
            newest = log.last_event_id()  # asked first: what is written during the reading is for the next time
            for record in log.read(wanted, after=after):
                yield record
                after = record.event_id
            after = max(after, newest)
            tell_left_out(log)
        except StoreNewer:
            raise
        except StoreError as error:
            trouble = f"{error.message}; trying again until Ctrl-C."
        note(trouble)
