"""A reader that never ends, and a log that must not grow for ever all the same."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from edged.store.database import FILE_NAME, PAGE_BYTES
from edged.store.events import EventStore
from edged.store.renewal import FRESH_NAME, exchange, log_bytes, make_copy, readers
from edged.testing.clock import FakeClock
from tests.unit.store.conftest import JPEG, an_event, numbers

LIMIT_BYTES = 1_500_000  # more than the log grows to by itself
READER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN")
print(connection.execute("SELECT count(*) FROM events").fetchone()[0], flush=True)
sys.stdin.readline()
print(connection.execute("SELECT count(*) FROM events").fetchone()[0], flush=True)
"""


@contextmanager
def a_reader_without_end(path: Path) -> Iterator[Callable[[], int]]:
    """Another process in the middle of a transaction; call it to have it end, and for how many events it saw then."""
    command = [sys.executable, "-c", READER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        process.stdout.readline()

        def end() -> int:
            out, _ = process.communicate("\n", timeout=30)
            return int(out)

        yield end
        process.kill()


@pytest.fixture
def store(tmp_path: Path, clock: FakeClock) -> Iterator[EventStore]:
    made = EventStore(tmp_path, clock=clock, version="1.2.3", log_max_bytes=LIMIT_BYTES)
    made.open()
    yield made
    made.close()


def write(store: EventStore, first: int, count: int) -> None:
    for number in range(first, first + count):
        store.put(an_event(number), JPEG if number % 10 == 0 else None)
        store.step()


def test_the_log_stays_small_under_a_reader_that_never_ends_and_nothing_is_lost(
    store: EventStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / FILE_NAME
    write(store, 0, 5)
    largest = 0
    with a_reader_without_end(path) as end:
        for first in range(5, 205):
            write(store, first, 1)
            largest = max(largest, log_bytes(path))
        seen_by_reader = end()

    assert seen_by_reader == 5
    assert 0.9 * LIMIT_BYTES < largest < 1.1 * LIMIT_BYTES
    assert numbers(tmp_path) == list(range(205))
    assert "python" in caplog.text
    assert "a copy takes the event log's place" in caplog.text
    assert sorted(path.name for path in tmp_path.glob("events*")) == [FILE_NAME, f"{FILE_NAME}-shm", f"{FILE_NAME}-wal"]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def test_a_reader_that_opens_the_copy_first_keeps_nobody_waiting(store: EventStore, tmp_path: Path) -> None:
    path, written = tmp_path / FILE_NAME, 0
    inode = path.stat().st_ino
    with a_reader_without_end(path):
        while path.stat().st_ino == inode:
            write(store, written, 1)
            written += 1
        with a_reader_without_end(path):
            write(store, written, 5)
            assert store.status.error is None
            assert numbers(tmp_path) == list(range(written + 5))


def test_no_copy_is_made_without_such_a_reader(store: EventStore, tmp_path: Path) -> None:
    inode = (tmp_path / FILE_NAME).stat().st_ino
    write(store, 0, 300)
    assert (tmp_path / FILE_NAME).stat().st_ino == inode
    assert log_bytes(tmp_path / FILE_NAME) <= 1.1 * 1024 * 1024


def test_a_disk_that_takes_no_copy_costs_no_event(store: EventStore, tmp_path: Path) -> None:
    write(store, 0, 5)
    with a_reader_without_end(tmp_path / FILE_NAME):
        (tmp_path / "events.partial.db").mkdir()  # as good as a disk that takes no copy
        write(store, 5, 140)
        assert store.status.error is None
        assert log_bytes(tmp_path / FILE_NAME) > LIMIT_BYTES
    assert numbers(tmp_path) == list(range(145))
    assert store.status.dropped == 0


def test_half_a_copy_takes_no_room(store: EventStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    really_sync, failed = os.fsync, []

    def fails_on_the_copy(descriptor: int) -> None:
        really_sync(descriptor)
        if Path(f"/proc/self/fd/{descriptor}").readlink().name == "events.partial.db":
            failed.append(descriptor)
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", fails_on_the_copy)
    written = 0
    with a_reader_without_end(tmp_path / FILE_NAME):
        while not failed:
            write(store, written, 1)
            written += 1
    assert {found.name for found in tmp_path.glob("events*")} == {FILE_NAME, f"{FILE_NAME}-shm", f"{FILE_NAME}-wal"}
    assert store.status.error is None
    assert numbers(tmp_path) == list(range(written))


def test_damage_that_only_the_copying_meets_is_mended(store: EventStore, clock: FakeClock, tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    write(store, 0, 400)
    assert store._opened is not None
    store._opened.connection.executescript("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA shrink_memory")
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // PAGE_BYTES // 2 * PAGE_BYTES)
        file.write(b"\xa5" * PAGE_BYTES)
    written = 400
    with a_reader_without_end(path):
        while not list(tmp_path.glob("*.damaged-*")) and written < 800:
            write(store, written, 1)
            written += 1
            if store.status.error is not None:
                clock.advance(3.0)
        assert list(tmp_path.glob("*.damaged-*"))
        assert log_bytes(path) < LIMIT_BYTES
    write(store, written, 1)
    assert store.status.error is None
    there = numbers(tmp_path)
    assert there[-(written - 399) :] == list(range(400, written + 1))
    assert len(there) > written - 25


def test_a_copy_that_cannot_take_the_logs_place_leaves_a_log_that_goes_on(
    store: EventStore, clock: FakeClock, tmp_path: Path
) -> None:
    written = 0
    with a_reader_without_end(tmp_path / FILE_NAME):
        (tmp_path / "events.old.db").mkdir()  # as good as a disk that fails once the copy is there
        while not (tmp_path / FRESH_NAME).exists():
            write(store, written, 1)
            written += 1
        (tmp_path / "events.old.db").rmdir()
        clock.advance(60.0)
        write(store, written, 5)
        assert store.status.error is None
    assert numbers(tmp_path) == list(range(written + 5))
    assert not list(tmp_path.glob("*.damaged-*"))


@pytest.mark.parametrize("crash_at", ["before", "copied", "renamed", "without the old log", "done"])
def test_a_crash_in_the_middle_of_it_loses_nothing(tmp_path: Path, clock: FakeClock, crash_at: str) -> None:
    folder = tmp_path / "data"
    store = EventStore(folder, clock=clock, version="1.2.3")
    store.open()
    write(store, 0, 50)
    path, fresh = folder / FILE_NAME, folder / FRESH_NAME
    scratch = tmp_path / "scratch"
    shutil.copytree(folder, scratch)
    with closing(sqlite3.connect(scratch / FILE_NAME, isolation_level=None)) as connection:
        make_copy(connection, scratch / FILE_NAME)
    exchange(scratch / FILE_NAME)
    if crash_at == "before":
        (folder / "events.partial.db").write_bytes(b"half a copy")
    if crash_at in ("copied", "renamed", "without the old log"):
        shutil.copy(scratch / FILE_NAME, fresh)
    if crash_at in ("renamed", "without the old log"):
        path.rename(folder / "events.old.db")
    if crash_at == "without the old log":
        (folder / f"{FILE_NAME}-wal").unlink()
    store.close() if crash_at == "done" else store._lock.release()  # the process is gone, and its files stay

    after = EventStore(folder, clock=clock, version="1.2.3")
    after.open()
    write(after, 50, 1)
    after.close()

    assert numbers(folder) == list(range(51))
    assert {found.name for found in folder.glob("events*")} <= {FILE_NAME, f"{FILE_NAME}-shm", f"{FILE_NAME}-wal"}
    store.close()


@pytest.mark.parametrize("name", ["events.partial.db", FRESH_NAME, "events.old.db-wal", "events.salvaging.db"])
def test_what_is_left_of_an_interruption_and_cannot_be_deleted_is_told_and_stops_nobody(
    tmp_path: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    for number in range(2):
        store = EventStore(tmp_path, clock=clock, version="1.2.3")
        store.open()
        write(store, number, 1)
        store.close()
        (tmp_path / name).mkdir(exist_ok=True)  # as good as a file that the disk does not let go of
    assert numbers(tmp_path) == [0, 1]
    assert caplog.text.count(f"{tmp_path / name} is of no use any more, and cannot be deleted: Is a directory") == 1


def test_what_somebody_else_named_like_a_leftover_stays(tmp_path: Path, clock: FakeClock) -> None:
    for name in ("events.old.db", "events.old.db-wal", "events.old.db.keep"):
        (tmp_path / name).touch()
    store = EventStore(tmp_path, clock=clock, version="1.2.3")
    for _ in range(2):  # nothing is a leftover beside no event log
        store.open()
        store.close()
    assert sorted(found.name for found in tmp_path.glob("events.old*")) == ["events.old.db.keep"]


def test_who_reads_is_named_and_who_writes_is_not(store: EventStore, tmp_path: Path) -> None:
    write(store, 0, 5)
    assert readers(tmp_path / FILE_NAME) == []
    with a_reader_without_end(tmp_path / FILE_NAME):
        (name,) = readers(tmp_path / FILE_NAME)
    assert name.startswith("python")
    assert readers(tmp_path / "absent.db") == []
