"""Gets a data folder ready for the daemon: mended where it was damaged, and entered in its list of runs."""

from __future__ import annotations

import logging
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from edged.errors import StoreCorrupt
from edged.store.database import FILE_NAME, SQLITE_ERRORS, inspect, open_writer, store_error
from edged.store.retention import remove_orphans
from edged.store.salvage import SalvageReport, copy_rows, set_aside

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the daemon, as the log keeps it."""

    run_id: str
    boot_id: str
    started_wall_at: float  # seconds since 1970-01-01 UTC
    started_at: float  # monotonic seconds within the boot
    version: str
    ended_wall_at: float | None = None  # None until a clean stop


@dataclass(frozen=True, slots=True)
class Opened:
    """A database that is ready to be written."""

    connection: sqlite3.Connection
    salvage: SalvageReport | None  # when the file was found damaged
    previous: Run | None  # the run before this one


def open_or_salvage(folder: Path, run: Run, *, wall_at: float, is_damaged: bool = False) -> Opened:
    """Open the database in `folder`, which must exist, and enter `run`.

    After a run that did not end cleanly the whole file is checked. A damaged one (`is_damaged`: it is known to be) is
    set aside, and what can be read of it copied into a new one. Raises StoreNewer, StoreLocked and StoreNotWritable;
    OSError where a file or folder cannot be reached.
    """
    path = folder / FILE_NAME
    if not is_damaged:
        try:
            return _open(folder, run)
        except StoreCorrupt as error:
            log.error("%s", error.message)
    salvage = _begin_anew(path, wall_at=wall_at)
    opened = _open(folder, run)
    return Opened(opened.connection, salvage, opened.previous)


def _open(folder: Path, run: Run) -> Opened:
    inspect(folder / FILE_NAME)
    connection = open_writer(folder / FILE_NAME)
    try:
        return Opened(connection, None, _enter(connection, folder, run))
    except SQLITE_ERRORS as error:
        connection.close()
        raise store_error(error, folder / FILE_NAME) from error
    except OSError:
        connection.close()
        raise


def _enter(connection: sqlite3.Connection, folder: Path, run: Run) -> Run | None:
    """Look at how the last run ended, and write down this run."""
    columns = "run_id, boot_id, started_wall_at, started_at, version, ended_wall_at"
    row = connection.execute(
        f"SELECT {columns} FROM runs WHERE run_id != ? ORDER BY rowid DESC LIMIT 1", (run.run_id,)
    ).fetchone()
    previous = None if row is None else Run(*row)
    if previous is not None and previous.ended_wall_at is None:
        orphans = remove_orphans(connection, folder)
        log.warning("the last run did not end cleanly; the event log is sound, %d stray snapshots deleted", orphans)
    connection.execute(
        f"INSERT INTO runs ({columns}) VALUES (?, ?, ?, ?, ?, NULL) ON CONFLICT (run_id) DO NOTHING",
        (run.run_id, run.boot_id, run.started_wall_at, run.started_at, run.version),
    )
    return previous


def _begin_anew(path: Path, *, wall_at: float) -> SalvageReport:
    damaged = set_aside(path, wall_at=wall_at)
    connection = open_writer(path)
    try:
        report = copy_rows(damaged, connection)
    except SQLITE_ERRORS as error:
        raise store_error(error, path) from error
    finally:
        connection.close()
    log.warning("%d events were saved from the damaged event log, which is now %s", report.events, damaged.name)
    return report
