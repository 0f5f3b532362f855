"""Bounds the write-ahead log, even where some program reads the database and never ends.

SQLite copies the log back and begins it anew only when no reader needs it any more. A reader that never lets go makes
it grow for ever; it keeps what it reads, and everybody else goes on with a fresh copy of the database.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

from edged.disk import sync_file, sync_folder

FRESH_NAME = "events.fresh.db"
"""A whole copy that is about to take the database's place."""

_PARTIAL_NAME = "events.partial.db"
_OLD_NAME = "events.old.db"


def log_bytes(path: Path) -> int:
    """The size of the write-ahead log of the database at `path`."""
    try:
        return os.stat(f"{path}-wal").st_size  # a string, since this is asked all the time: see snapshots.py
    except FileNotFoundError:
        return 0


def make_copy(connection: sqlite3.Connection, path: Path) -> None:
    """Copy the database at `path`, which `connection` alone writes to. Raises sqlite3.Error and OSError."""
    partial = path.with_name(_PARTIAL_NAME)
    partial.unlink(missing_ok=True)
    connection.execute("VACUUM INTO ?", (str(partial),))
    with closing(sqlite3.connect(partial)) as copy:
        # Else whoever reads it before it is opened to write keeps it from getting a write-ahead log, and us waiting.
        copy.execute("PRAGMA journal_mode = WAL")
    sync_file(partial)
    partial.replace(path.with_name(FRESH_NAME))
    sync_folder(path.parent)


def exchange(path: Path) -> None:
    """Put the copy that was just made in the place of the database at `path`, which nobody writes to any more.

    Whoever reads goes on with the old file. A crash or a fault at any moment loses nothing: see finish_renewal().
    Raises OSError.
    """
    path.replace(path.with_name(_OLD_NAME))
    sync_folder(path.parent)
    finish_renewal(path)


def finish_renewal(path: Path) -> None:
    """Finish what a crash may have interrupted, before the database at `path` is opened to write. Raises OSError.

    As long as the database has its name it is whole, with its log. Without it the copy is whole, and the log is the
    old one's.
    """
    fresh = path.with_name(FRESH_NAME)
    if not path.exists() and fresh.exists():
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        sync_folder(path.parent)
        fresh.replace(path)
        sync_folder(path.parent)


def leftovers(path: Path) -> Iterator[Path]:
    """What is of no use any more beside the database at `path`; without one, nothing is."""
    if path.exists():
        for name in (_PARTIAL_NAME, FRESH_NAME, _OLD_NAME):
            files = (path.with_name(name + suffix) for suffix in ("", "-wal", "-shm", "-journal"))
            yield from filter(os.path.lexists, files)


def readers(path: Path) -> list[str]:
    """Who holds locks on the write-ahead log's index, as "sqlite3 (process 812)"; this process is not among them.

    Source: proc(5), and "WAL-mode File Format" of SQLite. Empty where nobody may look.
    """
    pids: set[int] = set()
    with suppress(OSError, ValueError):
        index = path.with_name(path.name + "-shm").stat()
        wanted = f"{os.major(index.st_dev):02x}:{os.minor(index.st_dev):02x}:{index.st_ino}"
        for line in Path("/proc/locks").read_text().splitlines():
            fields = line.split()
            if wanted in fields:
                pids.add(int(fields[fields.index(wanted) - 1]))
    return [_named(pid) for pid in sorted(pids - {os.getpid()})]


def _named(pid: int) -> str:
    try:
        name = Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return f"process {pid}"
    return f"{name} (process {pid})"
