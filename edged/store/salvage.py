"""Sets a damaged database aside and copies what can still be read into a new one."""

from __future__ import annotations

import datetime
import logging
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from edged.disk import sync_folder
from edged.domain.events import EventRecord, TrackEvent
from edged.store.database import PAGE_BYTES
from edged.store.ids import is_id
from edged.store.pages import Value, file_pages, rows, wal_pages
from edged.store.rows import COLUMNS, OBJECT_COLUMNS, UNKNOWN, row_to_record, snapshot_path

log = logging.getLogger(__name__)

_RUN_COLUMNS = 6
_OLD_EVENT_COLUMNS = len(COLUMNS)  # of schema 1: with snapshot_bytes, but without detail
_DETAIL = COLUMNS.index("detail")
_ROWS_A_TRANSACTION = 1000
_STAMP = "%Y%m%dT%H%M%SZ"


def set_aside_files(folder: Path) -> list[Path]:
    """Every damaged file that was set aside in `folder` and is still there, by name."""
    return sorted(folder.glob("*.damaged-*.db"))


def set_aside_at(folder: Path) -> Iterator[float]:
    """When each of them was, by the wall clock: their names tell."""
    for path in set_aside_files(folder):
        with suppress(ValueError):
            stamp = path.stem.partition(".damaged-")[2].partition("-")[0]
            yield datetime.datetime.strptime(f"{stamp}+0000", f"{_STAMP}%z").timestamp()


def name_for_copy(path: Path, *, wall_at: float) -> Path:
    """A name for a whole copy of what can be read of the damaged database at `path`, by which finish_rescue() knows it.

    It has the date in it, and so gets what is set aside; neither name is taken.
    """
    stamp = datetime.datetime.fromtimestamp(wall_at, datetime.timezone.utc).strftime(_STAMP)
    return path.with_name(f"{path.stem}.salvaged-{_free(path, stamp)}.db")


def finish_rescue(path: Path) -> Path | None:
    """Let a whole copy, if there is one, take the place of the damaged database at `path`, and return that one's name.

    The damaged one is renamed, with its -wal and -shm: nothing is overwritten and nothing deleted. To be called before
    the database is opened: a cut of power at any moment leaves what the next call finishes. Raises OSError.
    """
    aside = None
    for copy in path.parent.glob(f"{path.stem}.salvaged-*.db"):  # one at most
        stamp = _free(path, copy.stem.partition(".salvaged-")[2])
        aside = path.with_name(f"{path.stem}.damaged-{stamp}.db")
        # The database goes last: SQLite throws away a log that it finds without one.
        for suffix in ("-shm", "-wal", ""):
            part = path.with_name(path.name + suffix)
            if part.exists():
                part.rename(aside.with_name(aside.name + suffix))
        sync_folder(path.parent)
        copy.replace(path)
        sync_folder(path.parent)
    return aside


def _free(path: Path, stamp: str) -> str:
    """`stamp`, with a number behind it where a database was set aside under it already."""
    free, number = stamp, 1
    while path.with_name(f"{path.stem}.damaged-{free}.db").exists():
        number += 1
        free = f"{stamp}-{number}"
    return free


def copy_rows(damaged: Path, connection: sqlite3.Connection, *, all_of_it: bool) -> int:
    """Copy what can be read of `damaged` into an open, empty, autocommit database; return how many events.

    A row that was overwritten or deleted may come back in its older form; so may an event that retention had deleted.
    Raises sqlite3.Error of the new database, and OSError when the damaged file cannot be read at all, or, for
    `all_of_it`, not to the last page.
    """
    connection.execute("PRAGMA foreign_keys = OFF")  # an event may be met before its run
    connection.execute("BEGIN")
    for number, values in enumerate(_all_rows(damaged, all_of_it), start=1):
        _copy(values, connection)
        if number % _ROWS_A_TRANSACTION == 0:
            connection.execute("COMMIT")
            connection.execute("BEGIN")
    connection.execute(
        "INSERT INTO runs SELECT DISTINCT run_id, ?, 0, 0, ?, NULL FROM events WHERE run_id NOT IN "
        "(SELECT run_id FROM runs)",
        (UNKNOWN, UNKNOWN),
    )
    connection.execute("COMMIT")
    return int(connection.execute("SELECT count(*) FROM events").fetchone()[0])


def _all_rows(damaged: Path, all_of_it: bool) -> Iterator[list[Value]]:
    """The file's rows first, the log's after them, since they are newer."""
    for page in file_pages(damaged, page_bytes=PAGE_BYTES, all_of_it=all_of_it):
        yield from rows(page)
    wal = damaged.with_name(damaged.name + "-wal")
    if wal.exists():
        for page in wal_pages(wal, page_bytes=PAGE_BYTES, all_of_it=all_of_it):
            yield from rows(page)


def _copy(values: list[Value], connection: sqlite3.Connection) -> None:
    is_old = len(values) == _OLD_EVENT_COLUMNS
    row = [*values[:_DETAIL], None, *values[_DETAIL:]] if is_old else values
    table = "events" if _is_event(row) else "runs" if _is_run(row) else None
    if table is not None:
        # A change of the schema leaves old rows on free pages: they never take the place of new ones.
        conflict = "IGNORE" if is_old else "REPLACE"
        connection.execute(f"INSERT OR {conflict} INTO {table} VALUES ({', '.join('?' * len(row))})", row)


def _is_event(values: Sequence[Value]) -> bool:
    """Tell whether a row is an event that this version would have written."""
    if len(values) != len(COLUMNS) + 1 or not isinstance(values[-1], int):
        return False
    try:
        record = row_to_record((*values[:-1], UNKNOWN))
    except (ValueError, TypeError, OverflowError):
        return False
    has_its_picture = record.snapshot in (None, snapshot_path(record.event_id, record.wall_at))
    return is_id(record.run_id) and has_its_picture and _is_whole(record, values)


def _is_whole(record: EventRecord, values: Sequence[Value]) -> bool:
    """Whether an event has an object, or nothing of one: the table refuses what lies between, and with it all."""
    return isinstance(record.event, TrackEvent) or all(
        values[COLUMNS.index(column)] is None for column in OBJECT_COLUMNS
    )


def _is_run(values: Sequence[Value]) -> bool:
    if len(values) != _RUN_COLUMNS:
        return False
    run_id, boot_id, started_wall_at, started_at, version, ended_wall_at = values
    return (
        is_id(run_id)
        and isinstance(boot_id, str)
        and isinstance(version, str)
        and isinstance(started_wall_at, (int, float))
        and isinstance(started_at, (int, float))
        and isinstance(ended_wall_at, (int, float, type(None)))
    )
