"""The event log's reader, for a process of its own: it never keeps the writer waiting."""

from __future__ import annotations

import shlex
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from edged.domain.events import EventKind, EventRecord
from edged.errors import StoreCorrupt
from edged.store.database import FILE_NAME, SQLITE_ERRORS, open_reader, read_error
from edged.store.ids import is_id
from edged.store.rows import SELECT, Row, row_to_record

_ROWS_A_QUERY = 500
_NAMED_MAX = 10


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events are wanted: any of those named. None, or no name, lets all through."""

    since_wall_at: float | None = None  # seconds since 1970-01-01 UTC, inclusive
    until_wall_at: float | None = None  # exclusive
    cameras: Sequence[str] = ()
    kinds: Sequence[EventKind] = ()
    labels: Sequence[str] = ()


class EventLog:
    """Reads the events of a data folder in the order in which they were written.

    One that is damaged is left out: see left_out().
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME
        self._damaged: dict[object, str] = {}  # what is wrong with it, by event_id, which may be damaged too
        self._told = 0  # of these

    def read(self, wanted: EventFilter = EventFilter(), *, after: str = "") -> Iterator[EventRecord]:
        """Every event that is wanted and was written after the one whose id is `after`.

        To follow the log, call again with the last event_id. Each call opens the file anew, so a file that was set
        aside meanwhile does not matter; each 500 rows are a query of their own, so a slow caller does not make the
        write-ahead log grow. Raises StoreNotFound, StoreCorrupt, StoreNewer and StoreError.
        """
        with closing(self._open()) as connection:
            while rows := list(self._rows(connection, wanted, f"event_id LIMIT {_ROWS_A_QUERY}", after)):
                # Those after a damaged entry of the index may come in circles.
                fresh = [row for row in rows if not is_id(row[0]) or row[0] > after]
                yield from self._records(fresh)
                ids = [row[0] for row in fresh if is_id(row[0])]
                if not ids or len(rows) < _ROWS_A_QUERY:
                    return
                after = ids[-1]

    def newest(self, wanted: EventFilter = EventFilter(), *, limit: int) -> list[EventRecord]:
        """The newest `limit` events that are wanted, in the order of writing. Raises as read() does."""
        asked = limit
        with closing(self._open()) as connection:
            while True:
                rows = list(self._rows(connection, wanted, f"event_id DESC LIMIT {asked:d}"))
                records = list(self._records(rows))
                if len(records) >= limit or len(rows) < asked:
                    return records[:limit][::-1]
                asked *= 2  # some are damaged

    def last_event_id(self) -> str:
        """The id to follow from: of the newest event, or "" when there is none. Raises as read() does."""
        with closing(self._open()) as connection:
            return next((row[0] for row in self._rows(connection, EventFilter(), "event_id DESC") if is_id(row[0])), "")

    def left_out(self) -> StoreCorrupt | None:
        """What was read since the last call and makes no sense, each event once; None when there was nothing new."""
        ids = list(self._damaged)[self._told :]
        if not ids:
            return None
        self._told += len(ids)
        named = ", ".join(f"{event_id!r} ({self._damaged[event_id]})" for event_id in ids[:_NAMED_MAX])
        more = f" and {len(ids) - _NAMED_MAX} more" if len(ids) > _NAMED_MAX else ""
        # The indexes first: one that knows the row as it was keeps it from being deleted.
        return StoreCorrupt(
            f"Damaged, and left out: {named}{more}.",
            hint="All other events are shown. These stay until they are as old as all that is deleted, or until you "
            f'delete them: sqlite3 {shlex.quote(str(self._path))} "REINDEX; DELETE FROM events WHERE '
            f'{" OR ".join(map(_condition, ids[:_NAMED_MAX]))}"',
        )

    def _open(self) -> sqlite3.Connection:
        connection = open_reader(self._path)
        connection.text_factory = _text_or_bytes
        return connection

    def _rows(
        self, connection: sqlite3.Connection, wanted: EventFilter, order_by: str, after: str = ""
    ) -> Iterator[Row]:
        limits = {
            "event_id > ?": after or None,
            "wall_at >= ?": wanted.since_wall_at,
            "wall_at < ?": wanted.until_wall_at,
        }
        names = {"camera": wanted.cameras, "kind": [kind.value for kind in wanted.kinds], "label": wanted.labels}
        given: dict[str, Sequence[object]] = {text: [value] for text, value in limits.items() if value is not None}
        given |= {f"{column} IN ({', '.join('?' * len(any_of))})": any_of for column, any_of in names.items() if any_of}
        query = f"{SELECT} WHERE {' AND '.join(given) or 'true'} ORDER BY {order_by}"
        try:
            yield from connection.execute(query, [_as_sql(value) for values in given.values() for value in values])
        except SQLITE_ERRORS as error:
            raise read_error(error, self._path) from error

    def _records(self, rows: Iterable[Row]) -> Iterator[EventRecord]:
        for row in rows:
            try:
                record = row_to_record(row)
            except (ValueError, TypeError, OverflowError) as error:
                self._damaged.setdefault(row[0], str(error))
                continue
            yield record


def _as_sql(value: object) -> object:
    """A value to compare with: of a name that a terminal wrote in another encoding its bytes, which no event has."""
    if not isinstance(value, str):
        return value
    stored = value.encode(errors="surrogateescape")
    return value if _text_or_bytes(stored) == value else stored


def _text_or_bytes(raw: bytes) -> str | bytes:
    """What SQLite holds as text, and as it is where it is none any more."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw


def _condition(event_id: object) -> str:
    """How to name an event in SQL, and between a shell's double quotes."""
    if is_id(event_id):
        return f"event_id = '{event_id}'"
    raw = event_id if isinstance(event_id, bytes) else str(event_id).encode()
    return f"CAST(event_id AS BLOB) = x'{raw.hex()}'"
