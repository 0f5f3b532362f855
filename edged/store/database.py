"""Opening the database file: the settings, the checks, and what SQLite's complaints mean."""

from __future__ import annotations

import errno
import os
import shlex
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from edged.disk import sync_file
from edged.errors import StoreCorrupt, StoreError, StoreFull, StoreLocked, StoreNewer, StoreNotFound, StoreNotWritable
from edged.store.migrations import APPLICATION_ID, MIGRATIONS, Migration, migrate, version_of

FILE_NAME = "events.db"
PAGE_BYTES = 4096

_BUSY_TIMEOUT_MS = 2000  # somebody with the sqlite3 shell; the daemon itself is the only writer
_ROOM_FOR_MIGRATION = 4  # times the file's size: the copy, the log of the change, the new table, and some to live on
_BACKUPS_MAX = 2  # of older schemas
_INSTRUCTIONS_A_LOOK = 10_000  # of SQLite, between two looks at whether its check is still wanted: 1 ms
_VERSION_MAX = 1000  # a greater schema version is a damaged header, not a newer edged

# What SQLite says of a file that it cannot get at. Our own statements have no mistakes, so all else ("no such column")
# is a damaged file. Python 3.10 gives no error codes.
_OUT_OF_REACH = ("i/o error", "unable to open", "readonly", "is full", "locked", "locking", "busy", "memory")

SqliteError = sqlite3.Error | UnicodeDecodeError
SQLITE_ERRORS = (sqlite3.Error, UnicodeDecodeError)
"""What Python raises for SQLite's complaints: when these quote damaged text, they cannot even be decoded."""

# WAL with synchronous=FULL is the one combination that lost no acknowledged row when the power was cut.
WRITER_SETTINGS = (
    f"PRAGMA page_size = {PAGE_BYTES}",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA wal_autocheckpoint = 256",  # pages: the log is copied back at about 1 MB
    "PRAGMA journal_size_limit = 1048576",  # bytes that the log keeps after it was copied back
    "PRAGMA foreign_keys = ON",
    "PRAGMA cell_size_check = ON",  # notices a damaged page early
)


def inspect(path: Path, run_id: str | None) -> None:
    """See whether the run `run_id` may open the file to write, without changing a byte of it; no file is fine.

    No connection of this process may be open: see check(). The file is read whole when the run before did not end
    cleanly, and always for None. What was interrupted before the file had its write-ahead log is undone, though, by
    SQLite. Raises StoreCorrupt, StoreNewer, StoreNotWritable and OSError.
    """
    if not path.exists():
        return
    _refuse_what_is_no_file(path, StoreNotWritable)
    if path.stat().st_size == 0:
        return
    _check_first_page(path)
    try:
        with closing(_connect(path, "mode=rw" if _journal(path).exists() else "mode=ro")) as connection:
            _check_ours(connection, path)
            if version_of(connection) > 0 and (run_id is None or follows_unclean_end(connection, run_id)):
                _check_whole(connection, path)
    except SQLITE_ERRORS as error:
        raise store_error(error, path) from error


def check(path: Path, is_stopped: Callable[[], bool]) -> None:
    """Read the file whole beside the connection that writes to it, unless stopped. Raises StoreError.

    By way of SQLite alone: whoever else closes a descriptor of the file takes from every connection of this process its
    lock (fcntl(2)), and then the next program to leave deletes the log that it writes to.
    """
    try:
        with closing(_connect(path, "mode=ro")) as connection:
            connection.set_progress_handler(is_stopped, _INSTRUCTIONS_A_LOOK)
            _check_whole(connection, path)
    except SQLITE_ERRORS as error:
        if not is_stopped():
            raise store_error(error, path) from error


def open_writer(path: Path, migrations: Sequence[Migration] = MIGRATIONS) -> sqlite3.Connection:
    """Open the file to write, made or brought up to date where needed; autocommit, for one thread at a time.

    Raises StoreCorrupt, StoreLocked and StoreNotWritable. To be called after inspect().
    """
    with _connected(path, "mode=rwc", store_error) as connection:
        for setting in WRITER_SETTINGS:
            connection.execute(setting)
        _check_wal(connection, path)
        if 0 < version_of(connection) < len(migrations):
            _back_up(connection, path)
        migrate(connection, migrations)
        return connection


def open_reader(path: Path) -> sqlite3.Connection:
    """Open the file to read only; never blocks the writer.

    Raises StoreNotFound, StoreCorrupt, StoreNewer and StoreError.
    """
    try:
        options = _reader_options(path)
    except OSError as error:
        raise _not_readable(path, error.strerror or str(error)) from error
    with _connected(path, options, read_error) as connection:
        _check_ours(connection, path)
        if version_of(connection) < len(MIGRATIONS):
            raise StoreNotFound(
                f"{path} has not been set up by this version of edged yet", hint="Start `edged run` once: it does that."
            )
        return connection


def follows_unclean_end(connection: sqlite3.Connection, run_id: str) -> bool:
    """Tell whether the run before did not end cleanly.

    A run that is in the file has found that out already, and opens it anew. Raises sqlite3.Error.
    """
    return bool(
        connection.execute(
            "SELECT EXISTS (SELECT 1 FROM runs WHERE rowid = (SELECT max(rowid) FROM runs) AND ended_wall_at IS NULL) "
            "AND NOT EXISTS (SELECT 1 FROM runs WHERE run_id = ?)",
            (run_id,),
        ).fetchone()[0]
    )


def store_error(error: SqliteError, path: Path) -> StoreError:
    """Translate what SQLite says while writing."""
    text = str(error)
    if is_damage(error):
        return damaged(path, text)
    if "locked" in text:
        return StoreLocked(
            f"another program has been writing to {path} for more than {_BUSY_TIMEOUT_MS / 1000:g} s",
            hint=f"Close it; `fuser {shlex.quote(str(path))}` names it.",
        )
    # With no space left, opening a WAL database says "disk I/O error" rather than "full".
    kind = StoreFull if "full" in text or "I/O error" in text else StoreNotWritable
    return kind(
        f"cannot write {path}: {text}",
        hint="Check that the disk has space (`df -h`), is mounted for writing, and is healthy (`dmesg | tail`), and "
        "that the folder belongs to the user that edged runs as.",
    )


def read_error(error: SqliteError, path: Path) -> StoreError:
    """Translate what SQLite says while reading."""
    if is_damage(error):
        return damaged(path, str(error))
    if "readonly" in str(error) and _journal(path).exists():
        return StoreNotFound(
            f"edged was interrupted while it made {path}", hint="Start `edged run` once: it makes the file anew."
        )
    if "I/O error" in str(error):
        return StoreError(
            f"cannot read {path}: {error}",
            hint="Check that the disk has space (`df -h`), since reading takes a small file beside the log, "
            "and that it is healthy (`dmesg | tail`).",
        )
    return _not_readable(path, str(error))


def is_damage(error: SqliteError) -> bool:
    """Tell a damaged file from one that cannot be reached."""
    return not any(phrase in str(error).lower() for phrase in _OUT_OF_REACH)


def damaged(path: Path, why: str) -> StoreCorrupt:
    """Say that the file is damaged."""
    return StoreCorrupt(
        f"the event log {path} is damaged: {why}",
        hint="`edged run` looks through it ten minutes after its start and once a day: it sets the file aside then, "
        "begins a new one and copies over what can still be read.",
    )


def _journal(path: Path) -> Path:
    """Where SQLite keeps what it needs to undo a commit without a write-ahead log: the very first one of a file.

    One that is there when nobody has the file open was interrupted, and only who may write can undo it.
    """
    return path.with_name(f"{path.name}-journal")


def _not_readable(path: Path, why: str) -> StoreError:
    return StoreError(
        f"cannot read {path}: {why}",
        hint="Ask as the user that edged runs as (`sudo -u edged …`), or let this user read the folder and the file "
        "(`ls -ld` shows who may).",
    )


def _refuse_what_is_no_file(path: Path, kind: type[StoreError]) -> None:
    """Refuse a folder, device or pipe, of which SQLite says "disk I/O error". Raises `kind`."""
    if not path.is_file():
        what = "a folder" if path.is_dir() else "not a regular file"
        raise kind(
            f"{path}: it is {what}, and the event log is a file",
            hint="Move it away, and `edged run` makes the event log in its place; or name another data folder.",
        )


def _reader_options(path: Path) -> str:
    """How to open the file to read. Raises StoreNotFound, StoreError, and OSError where this user may not look."""
    if path.exists():
        _refuse_what_is_no_file(path, StoreError)
    if not path.exists() or path.stat().st_size == 0:
        raise StoreNotFound(f"there is no event log at {path}", hint="Start `edged run` with this data folder first.")
    # A user who may not write into the folder cannot make the -shm file that reading takes. It is there while the
    # daemon runs; while it does not, nothing changes the file, and SQLite may be told so.
    may_write = os.access(path.parent, os.W_OK, effective_ids=True)
    at_rest = not may_write and not path.with_name(path.name + "-wal").exists()
    return "mode=ro&immutable=1" if at_rest else "mode=ro"


@contextmanager
def _connected(
    path: Path, options: str, translate: Callable[[SqliteError, Path], StoreError]
) -> Iterator[sqlite3.Connection]:
    """Connect. When the block fails, close and translate SQLite's complaint; when it does not, leave open."""
    connection = None
    try:
        connection = _connect(path, options)
        yield connection
    except SQLITE_ERRORS as error:
        _close_quietly(connection)
        raise translate(error, path) from error
    except (StoreError, OSError):
        _close_quietly(connection)
        raise


def _close_quietly(connection: sqlite3.Connection | None) -> None:
    with suppress(sqlite3.Error):  # the error that brought us here is the one to tell
        if connection is not None:
            connection.close()


def _connect(path: Path, options: str) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?{options}"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}")
    return connection


def _check_first_page(path: Path) -> None:
    """Take a bad spot of the disk there for damage, as SQLite does on all other pages: of this it says "I/O error"."""
    with suppress(PermissionError), path.open("rb") as file:  # SQLite has the words for that
        try:
            os.pread(file.fileno(), PAGE_BYTES, 0)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            raise damaged(path, f"its first page cannot be read: {error.strerror}") from error


def _check_whole(connection: sqlite3.Connection, path: Path) -> None:
    # First all rows in the file's order: what the check does not find in memory it reads here and there, which takes
    # twice as long, and meanwhile asks no progress handler.
    connection.execute("SELECT total(at) FROM events NOT INDEXED").fetchone()
    complaints = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(5)")]
    if complaints != ["ok"]:
        raise damaged(path, "; ".join(complaints))


def _check_ours(connection: sqlite3.Connection, path: Path) -> None:
    version = version_of(connection)
    owner = int(connection.execute("PRAGMA application_id").fetchone()[0])
    is_empty = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    if not (version == owner == 0 and is_empty) and owner != APPLICATION_ID:
        raise damaged(path, "it is a database, but not an event log of edged")
    if not 0 <= version <= _VERSION_MAX:
        raise damaged(path, f"its schema version is {version}")
    if version > len(MIGRATIONS):
        raise StoreNewer(
            f"{path} was written by a newer edged (schema {version}; this one knows up to {len(MIGRATIONS)})",
            hint="Install that version again, or give this one another data folder.",
        )


def _check_wal(connection: sqlite3.Connection, path: Path) -> None:
    mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
    if mode != "wal":
        raise StoreNotWritable(
            f"{path} lies on a file system that cannot hold a write-ahead log (journal mode {mode})",
            hint="Put the data folder on a local disk, not on a network share.",
        )


def _back_up(connection: sqlite3.Connection, path: Path) -> None:
    """Copy the file before its schema changes. Raises StoreFull where there is no room for that and for the change."""
    pages, page_bytes = (
        int(connection.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("page_count", "page_size")
    )
    needed, free = pages * page_bytes * _ROOM_FOR_MIGRATION, shutil.disk_usage(path.parent).free
    if free < needed:
        raise StoreFull(
            f"{path} is to be brought up to date, which takes {needed / 1e6:.0f} MB, and {free / 1e6:.0f} MB are free",
            hint="Make room on that disk (`df -h`): edged goes on as soon as there is some.",
        )
    copy = path.with_name(f"{path.stem}.schema-{version_of(connection)}.db")
    partial = copy.with_suffix(".tmp")
    partial.unlink(missing_ok=True)
    with closing(sqlite3.connect(partial)) as target:
        connection.backup(target)
    sync_file(partial)
    partial.replace(copy)
    backups = sorted(path.parent.glob(f"{path.stem}.schema-*.db"), key=lambda found: found.stat().st_mtime)
    for old in backups[:-_BACKUPS_MAX]:
        old.unlink()
