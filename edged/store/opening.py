"""Gets a data folder ready for the daemon: mended where it was damaged, and entered in its list of runs."""

from __future__ import annotations

import logging
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from edged.disk import sync_folder
from edged.domain.words import counted
from edged.errors import StoreCorrupt, StoreDiskFails
from edged.store.database import (
    FILE_NAME,
    SQLITE_ERRORS,
    damaged,
    follows_unclean_end,
    inspect,
    open_writer,
    store_error,
)
from edged.store.ids import is_id
from edged.store.renewal import finish_renewal, leftovers
from edged.store.retention import remove_orphans
from edged.store.salvage import copy_rows, finish_rescue, name_for_copy, set_aside_at, set_aside_files

log = logging.getLogger(__name__)

_PARTIAL_NAME = "events.salvaging.db"
"""A copy that is being made of what can be read."""

_DISK_MAY_COME_BACK_S = 120.0
_RESCUES_A_DAY = 3
_DAY_S = 86_400.0

DAMAGED_AFTER = 2
"""Complaints in a row. SQLite says "malformed" also when the disk answers a read with EIO, once."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the daemon, as the log keeps it."""

    run_id: str
    boot_id: str
    started_wall_at: float  # seconds since 1970-01-01 UTC
    started_at: float  # monotonic seconds within the boot
    version: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A database that is ready to be written."""

    connection: sqlite3.Connection
    last_event_id: str | None  # the greatest


def open_or_salvage(folder: Path, run: Run, *, wall_at: float, complaints: int, outage_s: float | None) -> Opened:
    """Open the database in `folder`, which must exist, and enter `run`.

    After a run that did not end cleanly, or a first complaint, the whole file is checked. One of which SQLite complains
    twice in a row (`complaints`: it has done so already) is set aside, and what can be read of it copied into a new
    one: once it also complains of a sound one, from which the disk gave nothing for a moment. One of which the disk
    does not give all is left alone for the first minutes of an outage, which has lasted for `outage_s`, and has been
    told of. Raises StoreNewer, StoreLocked and StoreNotWritable; OSError where a file or folder cannot be reached.
    """
    path = folder / FILE_NAME
    finish_renewal(path)
    finish_rescue(path)
    kept = remove_leftovers(path)
    opened = _opened(path, run, wall_at=wall_at, complaints=complaints, outage_s=outage_s)
    for error in kept:  # told only now: while the disk is read-only, this is tried again and again
        log.warning("%s is of no use any more, and cannot be deleted: %s", error.filename, error.strerror)
    return opened


def remove_leftovers(path: Path) -> list[OSError]:
    """Delete what a renewal or rescue left that was cut short, and return what went wrong: only room is lost by it."""
    errors = []
    for leftover in (*leftovers(path), *path.parent.glob(f"{_PARTIAL_NAME}*")):
        try:
            leftover.unlink(missing_ok=True)
        except OSError as error:
            errors.append(error)
    return errors


def _opened(path: Path, run: Run, *, wall_at: float, complaints: int, outage_s: float | None) -> Opened:
    while complaints < DAMAGED_AFTER:
        try:
            return _open(path, run, whole=complaints > 0)
        except StoreCorrupt as error:
            complaints += 1
            level = logging.ERROR if outage_s is None else logging.DEBUG
            log.log(level, "%s%s", error.message, "; it is looked at again" if complaints < DAMAGED_AFTER else "")
    _refuse_too_many(path, wall_at=wall_at)
    _begin_anew(path, wall_at=wall_at, all_of_it=(outage_s or 0.0) < _DISK_MAY_COME_BACK_S)
    return _open(path, run)


def _open(path: Path, run: Run, *, whole: bool = False) -> Opened:
    inspect(path, None if whole else run.run_id)
    connection = open_writer(path)
    try:
        _enter(connection, path.parent, run)
        last_event_id = connection.execute("SELECT max(event_id) FROM events").fetchone()[0]
        if last_event_id is not None and not is_id(last_event_id):
            raise damaged(path, f"{last_event_id!r} is no event's id")
        return Opened(connection, last_event_id)
    except SQLITE_ERRORS as error:
        connection.close()
        raise store_error(error, path) from error
    except (StoreCorrupt, OSError):
        connection.close()
        raise


def _enter(connection: sqlite3.Connection, folder: Path, run: Run) -> None:
    """Look at how the last run ended, and write down this run."""
    if follows_unclean_end(connection, run.run_id):
        _tidy_up(connection, folder)
    connection.execute(
        "INSERT INTO runs (run_id, boot_id, started_wall_at, started_at, version) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (run_id) DO UPDATE SET boot_id = excluded.boot_id, started_wall_at = excluded.started_wall_at, "
        "started_at = excluded.started_at, version = excluded.version",  # of this run a rescue may know only the id
        (run.run_id, run.boot_id, run.started_wall_at, run.started_at, run.version),
    )


def _tidy_up(connection: sqlite3.Connection, folder: Path) -> None:
    """Delete what a crash left of pictures.

    While a damaged file is kept, a picture without a row may belong to an event that could not be saved from it.
    """
    if kept := set_aside_files(folder):
        count = remove_orphans(connection, folder, half_written_only=True)
        log.warning(
            "the last run did not end cleanly; %s deleted; those without an event are kept as long as %s is",
            counted(count, "half-written snapshot"),
            kept[0].name,
        )
    else:
        count = remove_orphans(connection, folder, half_written_only=False)
        log.warning(
            "the last run did not end cleanly; the event log is sound, %s deleted", counted(count, "stray snapshot")
        )


def _refuse_too_many(path: Path, *, wall_at: float) -> None:
    """Give a dying disk no copy after copy to fill itself with."""
    mended = sum(0 <= wall_at - at < _DAY_S for at in set_aside_at(path.parent))
    if mended >= _RESCUES_A_DAY:
        raise StoreDiskFails(
            f"{path} is damaged again, though it was made anew {mended} times within a day",
            hint="What is written to this disk does not stay as it is: replace the card or disk. What was set aside is "
            "beside the event log; once it is moved elsewhere, edged makes that anew again.",
        )


def _begin_anew(path: Path, *, wall_at: float, all_of_it: bool) -> None:
    """Copy what can be read into a new file, and only then let it take the damaged one's place.

    So a disk that is full, or a crash, costs nothing but another try.
    """
    partial = path.with_name(_PARTIAL_NAME)
    connection = open_writer(partial)
    try:
        events = copy_rows(path, connection, all_of_it=all_of_it)
        # From its log into this one file. close() does so as well, but says nothing when the disk has no room for it.
        (is_busy,) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[:1]
        if is_busy:
            raise sqlite3.OperationalError("database is locked")
    except SQLITE_ERRORS as error:
        raise store_error(error, partial) from error
    except OSError as error:
        raise StoreDiskFails(
            f"{path} is damaged, and the disk does not give all of it: {error.strerror}",
            hint="`dmesg | tail` may say more. If it still does not in two minutes, edged goes on with what it gives.",
        ) from error
    finally:
        connection.close()
    partial.replace(name_for_copy(path, wall_at=wall_at))
    sync_folder(path.parent)
    if aside := finish_rescue(path):
        saved = counted(events, "event was", "events were")
        log.warning("%s saved from the damaged event log, which is now %s", saved, aside.name)
