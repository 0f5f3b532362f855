"""The event log's reader, for a process of its own: it never keeps the writer waiting."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from edged.domain.events import EventKind, EventRecord
from edged.errors import StoreCorrupt
from edged.store.database import FILE_NAME, SQLITE_ERRORS, open_reader, read_error
from edged.store.rows import SELECT, Row, row_to_record

_ROWS_A_QUERY = 500


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events are wanted: any of those named. None, or no name, lets all through."""

    since_wall_at: float | None = None  # seconds since 1970-01-01 UTC, inclusive
    until_wall_at: float | None = None  # exclusive
    cameras: Sequence[str] = ()
    kinds: Sequence[EventKind] = ()
    labels: Sequence[str] = ()


class EventLog:
    """Reads the events of a data folder in the order in which they were written."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME

    def read(self, wanted: EventFilter = EventFilter(), *, after: str = "") -> Iterator[EventRecord]:
        """Every event that is wanted and was written after the one whose id is `after`.

        To follow the log, call again with the last event_id. Each call opens the file anew, so a file that was set
        aside meanwhile does not matter; each 500 rows are a query of their own, so a slow caller does not make the
        write-ahead log grow. Raises StoreNotFound, StoreCorrupt, StoreNewer and StoreError.
        """
        with closing(open_reader(self._path)) as connection:
            while rows := self._query(connection, wanted, f"event_id LIMIT {_ROWS_A_QUERY}", after):
                for row in rows:
                    yield self._record(row)
                after = rows[-1][0]

    def newest(self, wanted: EventFilter = EventFilter(), *, limit: int) -> list[EventRecord]:
        """The newest `limit` events that are wanted, in the order of writing. Raises as read() does."""
        with closing(open_reader(self._path)) as connection:
            rows = self._query(connection, wanted, f"event_id DESC LIMIT {limit:d}")
        return [self._record(row) for row in reversed(rows)]

    def last_event_id(self) -> str:
        """The id to follow from: of the newest event, or "" when there is none. Raises as read() does."""
        with closing(open_reader(self._path)) as connection:
            try:
                return str(connection.execute("SELECT max(event_id) FROM events").fetchone()[0] or "")
            except SQLITE_ERRORS as error:
                raise read_error(error, self._path) from error

    def _query(self, connection: sqlite3.Connection, wanted: EventFilter, order_by: str, after: str = "") -> list[Row]:
        limits = {"event_id > ?": after, "wall_at >= ?": wanted.since_wall_at, "wall_at < ?": wanted.until_wall_at}
        names = {"camera": wanted.cameras, "kind": [kind.value for kind in wanted.kinds], "label": wanted.labels}
        given: dict[str, Sequence[object]] = {text: [value] for text, value in limits.items() if value is not None}
        given |= {f"{column} IN ({', '.join('?' * len(any_of))})": any_of for column, any_of in names.items() if any_of}
        query = f"{SELECT} WHERE {' AND '.join(given)} ORDER BY {order_by}"
        try:
            return connection.execute(query, [value for values in given.values() for value in values]).fetchall()
        except SQLITE_ERRORS as error:
            raise read_error(error, self._path) from error

    def _record(self, row: Row) -> EventRecord:
        try:
            return row_to_record(row)
        except (ValueError, TypeError, OverflowError) as error:
            # To SQLite the file is sound, so `edged run` sets nothing aside.
            raise StoreCorrupt(
                f"the event log {self._path} is damaged: event {row[0]!r}: {error}",
                hint=f"This one event is in the way: "
                f"sqlite3 {self._path} \"DELETE FROM events WHERE event_id = '{row[0]}'\"",
            ) from error
