"""Damaged files: set aside whole, and what can be read of them is kept."""

from __future__ import annotations

import errno
import logging
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edged.errors import StoreCorrupt, StoreDiskFails, StoreNewer, StoreNotWritable
from edged.store.database import PAGE_BYTES, inspect
from edged.store.events import EventStore
from edged.store.pages import file_pages, rows
from edged.store.rows import COLUMNS, OBJECT_COLUMNS
from edged.testing.clock import FakeClock
from tests.unit.store.conftest import (
    JPEG,
    MakeStore,
    a_camera_event,
    a_full_disk,
    an_event,
    logged,
    numbers,
    write_schema_1,
)

EVENTS = 400


@pytest.fixture(scope="module")
def sound_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with EVENTS events, cleanly closed."""
    folder = tmp_path_factory.mktemp("sound")
    store = EventStore(folder, clock=FakeClock(), version="1")
    for number in range(EVENTS):
        store.put(an_event(number), JPEG if number % 7 == 0 else None)
    store.step()
    store.close()
    return folder / "events.db"


@pytest.fixture
def sound(sound_path: Path) -> bytes:
    return sound_path.read_bytes()


def opened_over(content: bytes, folder: Path, clock: FakeClock | None = None) -> EventStore:
    """Start on a file with this content."""
    folder.mkdir(exist_ok=True)
    (folder / "events.db").write_bytes(content)
    return opened(folder, clock)


def opened(folder: Path, clock: FakeClock | None = None) -> EventStore:
    store = EventStore(folder, clock=clock or FakeClock(), version="2")
    store.open()
    return store


def kill(store: EventStore) -> None:
    """Leave the files as a process does that is killed: its run has no end."""
    assert store._opened is not None
    store._opened.connection.close()
    store._lock.release()


def a_log_at_work(make_store: MakeStore, tmp_path: Path) -> tuple[EventStore, Path, sqlite3.Connection]:
    """A store that goes on writing, its file, in which EVENTS events are, and its connection."""
    store = make_store()
    for number in range(EVENTS):
        store.put(an_event(number), None)
    store.step()
    assert store._opened is not None
    store._opened.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return store, tmp_path / "data" / "events.db", store._opened.connection


def without_its_trees(content: bytes) -> bytes:
    """Spoil all pages but the leaves of tables, which hold the rows."""
    pages = (content[start : start + PAGE_BYTES] for start in range(0, len(content), PAGE_BYTES))
    return b"".join(page if page[0] == 0x0D else b"\xa5" * PAGE_BYTES for page in pages)


def set_aside_files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*damaged*") if not path.name.endswith("-shm"))


def integrity(folder: Path) -> str:
    with closing(sqlite3.connect(folder / "events.db")) as connection:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])


def pictures(folder: Path) -> list[Path]:
    return sorted((folder / "snapshots").rglob("*.jpg"))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: b"This is no database. " * 100,
        lambda content: b"\0" * len(content),
        lambda content: content[:100],
    ],
)
def test_what_is_no_database_is_set_aside_and_a_new_one_begun(
    sound: bytes, tmp_path: Path, spoil: Callable[[bytes], bytes]
) -> None:
    store = opened_over(spoil(sound), tmp_path)
    assert set_aside_files(tmp_path)[0] == "events.damaged-20231114T221320Z.db"
    assert (tmp_path / "events.damaged-20231114T221320Z.db").read_bytes() == spoil(sound)
    assert numbers(tmp_path) == []
    store.put(an_event(1), None)
    store.step()
    assert numbers(tmp_path) == [1]
    store.close()


def test_the_database_of_another_program_is_set_aside_whole(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
    content = (tmp_path / "other.db").read_bytes()
    opened_over(content, tmp_path / "data").close()
    (damaged,) = (tmp_path / "data").glob("*damaged*")
    assert damaged.read_bytes() == content


def test_with_the_first_page_gone_every_event_is_still_saved(
    sound: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = opened_over(b"\xa5" * PAGE_BYTES + sound[PAGE_BYTES:], tmp_path)
    assert numbers(tmp_path) == list(range(EVENTS))
    assert f"{EVENTS} events were saved" in caplog.text
    records = logged(tmp_path)
    assert {record.event for record in records} == {an_event(number) for number in range(EVENTS)}
    assert [record.snapshot is not None for record in records] == [number % 7 == 0 for number in range(EVENTS)]
    assert {record.boot_id for record in records} == {"boot-1"}
    store.close()
    assert integrity(tmp_path) == "ok"


def test_events_that_are_only_in_the_log_file_are_saved_too(make_store: MakeStore, tmp_path: Path) -> None:
    store = make_store()
    store.put(an_event(1), None)
    store.step()
    assert store._opened is not None
    store._opened.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.put(an_event(2), None)
    store.step()
    killed = tmp_path / "killed"
    shutil.copytree(tmp_path / "data", killed)
    content = bytearray((killed / "events.db").read_bytes())
    content[:PAGE_BYTES] = b"\xa5" * PAGE_BYTES
    opened_over(bytes(content), killed).close()
    assert numbers(killed) == [1, 2]
    assert set_aside_files(killed) == [
        "events.damaged-20231114T221320Z.db",
        "events.damaged-20231114T221320Z.db-wal",
    ]


def test_pictures_of_events_that_could_not_be_saved_are_kept_while_the_damaged_file_is(
    make_store: MakeStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    killed = make_store()
    for number in range(EVENTS):
        killed.put(an_event(number), JPEG if number % 7 == 0 else None)
    killed.step()
    assert killed._opened is not None
    killed._opened.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    taken = pictures(tmp_path / "data")
    (taken[0].parent / "01a20a5f-64a5-7149-b45a-94e424cd5c22.tmp").write_bytes(JPEG[:3])
    content = bytearray((tmp_path / "data" / "events.db").read_bytes())
    for start in range(len(content) // 2, len(content), PAGE_BYTES):
        content[start : start + PAGE_BYTES] = b"\xa5" * PAGE_BYTES
    folder = tmp_path / "after"
    shutil.copytree(tmp_path / "data", folder, ignore=shutil.ignore_patterns("*-wal", "*-shm"))
    kill(opened_over(bytes(content), folder))
    assert 0 < len(logged(folder)) < EVENTS
    kill(opened(folder))
    assert [path.name for path in pictures(folder)] == [path.name for path in taken]
    assert not list(folder.rglob("*.tmp"))
    assert "is sound" not in caplog.text

    for name in set_aside_files(folder):
        (folder / name).unlink()
    opened(folder).close()
    assert len(pictures(folder)) == sum(record.snapshot is not None for record in logged(folder))


def test_a_damaged_log_from_before_cameras_had_events_is_saved_too(tmp_path: Path) -> None:
    write_schema_1(tmp_path, *range(EVENTS))
    content = (tmp_path / "events.db").read_bytes()
    opened_over(b"\xa5" * PAGE_BYTES + content[PAGE_BYTES:], tmp_path).close()
    assert [record.event for record in logged(tmp_path)] == [an_event(number) for number in range(EVENTS)]


@pytest.mark.parametrize("old_first", [True, False])
def test_old_rows_on_pages_that_an_update_of_the_schema_set_free_do_not_take_the_place_of_new_ones(
    tmp_path: Path, old_first: bool
) -> None:
    write_schema_1(tmp_path, *range(EVENTS))
    path = tmp_path / "events.db"
    old = path.read_bytes()[PAGE_BYTES:]
    store = EventStore(tmp_path, clock=FakeClock(), version="2")
    store.put(a_camera_event(), None)
    store.step()
    store.close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE events SET snapshot = NULL")  # as retention does
    new = path.read_bytes()[PAGE_BYTES:]

    first_page = b"\xa5" * PAGE_BYTES
    opened_over(first_page + (old + new if old_first else new + old), tmp_path).close()

    records = logged(tmp_path)
    assert [record.event for record in records] == [*map(an_event, range(EVENTS)), a_camera_event()]
    assert {record.snapshot for record in records} == {None}


@pytest.mark.parametrize("column", OBJECT_COLUMNS)
def test_an_event_that_is_half_about_an_object_costs_only_itself(tmp_path: Path, column: str) -> None:
    store = EventStore(tmp_path, clock=FakeClock(), version="1")
    store.put(an_event(1), None)
    store.put(a_camera_event(), None)
    store.step()
    store.close()
    path = tmp_path / "events.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        connection.execute(f"UPDATE events SET {column} = '7' WHERE kind = 'camera_lost'")
    content = path.read_bytes()
    opened_over(b"\xa5" * PAGE_BYTES + content[PAGE_BYTES:], tmp_path).close()
    assert [record.event for record in logged(tmp_path)] == [an_event(1)]


def test_a_second_damaged_file_in_the_same_second_overwrites_nothing(tmp_path: Path) -> None:
    for content in (b"first", b"second", b"third"):
        for file in tmp_path.glob("events.db-*"):
            file.unlink()
        opened_over(content, tmp_path).close()
    kept = sorted(path.read_bytes() for path in tmp_path.glob("*damaged*"))
    assert kept == [b"first", b"second", b"third"]


def test_a_disk_that_damages_all_that_is_written_is_not_filled_with_copies(sound: bytes, tmp_path: Path) -> None:
    spoiled, clock = b"\xa5" * PAGE_BYTES + sound[PAGE_BYTES:], FakeClock()
    for _ in range(3):
        opened_over(spoiled, tmp_path, clock).close()
        clock.advance(3600.0)
    kept = set_aside_files(tmp_path)
    (tmp_path / "events.db").write_bytes(spoiled)
    store = EventStore(tmp_path, clock=clock, version="2")
    with pytest.raises(StoreDiskFails, match="damaged again, though it was made anew 3 times within a day"):
        store.open()
    for number in range(5):
        store.put(an_event(EVENTS + number), None)
        store.step()
        clock.advance(3600.0)
    assert set_aside_files(tmp_path) == kept
    clock.advance(86_400.0)
    store.step()
    assert numbers(tmp_path) == list(range(EVENTS + 5))
    store.close()


@contextmanager
def a_bad_spot(path: Path, *, at_byte: int) -> Iterator[None]:
    """Let the disk give all of this file but the page that begins there."""
    bad, really_read = path.stat().st_ino, os.pread

    def read(descriptor: int, size: int, at: int) -> bytes:
        if at == at_byte and os.fstat(descriptor).st_ino == bad:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return really_read(descriptor, size, at)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "pread", read)
        yield


def test_a_first_page_that_the_disk_does_not_give_is_damage_too(sound: bytes, tmp_path: Path) -> None:
    (tmp_path / "events.db").write_bytes(sound)
    with a_bad_spot(tmp_path / "events.db", at_byte=0):
        opened(tmp_path).close()
    assert numbers(tmp_path) == list(range(EVENTS))
    assert len(set_aside_files(tmp_path)) == 1


@pytest.mark.parametrize("comes_back", [True, False])
def test_what_the_disk_does_not_give_is_waited_for_before_a_log_is_made_without_it(
    sound: bytes, tmp_path: Path, comes_back: bool
) -> None:
    path, clock = tmp_path / "events.db", FakeClock()
    path.write_bytes(b"\xa5" * PAGE_BYTES + sound[PAGE_BYTES:])
    store = EventStore(tmp_path, clock=clock, version="2")
    store.put(an_event(EVENTS), None)
    with a_bad_spot(path, at_byte=len(sound) // PAGE_BYTES // 2 * PAGE_BYTES):
        for _ in range(4):
            store.step()
            assert "the disk does not give all of it" in str(store.status.error)
            clock.advance(30.0)
        assert set_aside_files(tmp_path) == []
        if not comes_back:
            clock.advance(100.0)
            store.step()
    clock.advance(35.0)
    store.step()
    assert store.status.error is None
    there = numbers(tmp_path)
    assert there[-1] == EVENTS
    assert (len(there) == EVENTS + 1) == comes_back
    assert len(there) > EVENTS - 25
    store.close()


def test_events_whose_run_is_lost_are_kept(sound: bytes, tmp_path: Path) -> None:
    content = bytearray(b"\xa5" * PAGE_BYTES + sound[PAGE_BYTES:])
    for start in range(PAGE_BYTES, len(content), PAGE_BYTES):
        found = list(rows(bytes(content[start : start + PAGE_BYTES])))
        if found and len(found[0]) == 6:
            content[start : start + PAGE_BYTES] = b"\0" * PAGE_BYTES
    opened_over(bytes(content), tmp_path).close()
    assert numbers(tmp_path) == list(range(EVENTS))
    assert {record.boot_id for record in logged(tmp_path)} == {"unknown"}


def test_a_disk_that_is_full_during_the_rescue_costs_only_another_try(sound: bytes, tmp_path: Path) -> None:
    spoiled = b"\xa5" * PAGE_BYTES + sound[PAGE_BYTES:]
    path = tmp_path / "events.db"
    path.write_bytes(spoiled)
    for bytes_max in (1, 5000, 50_000, 100_000):
        store = EventStore(tmp_path, clock=FakeClock(), version="2")
        with a_full_disk(bytes_max=bytes_max), pytest.raises(StoreNotWritable):
            store.open()
        store.close()
        assert path.read_bytes() == spoiled
    opened(tmp_path).close()
    assert numbers(tmp_path) == list(range(EVENTS))
    assert len(set_aside_files(tmp_path)) == 1


def test_a_copy_that_the_disk_cannot_take_whole_does_not_take_the_damaged_files_place(
    sound: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoiled = b"\xa5" * PAGE_BYTES + sound[PAGE_BYTES:]
    (tmp_path / "events.db").write_bytes(spoiled)
    store = EventStore(tmp_path, clock=FakeClock(), version="2")
    with ExitStack() as until_told:

        class FillsTheDisk(sqlite3.Connection):
            def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
                done = super().execute(sql, *parameters)
                if sql == "COMMIT" and self.total_changes > EVENTS:  # all is in the copy's log, and not in its file yet
                    until_told.enter_context(a_full_disk())
                return done

        monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=FillsTheDisk))
        with pytest.raises(StoreNotWritable):
            store.open()
    store.close()
    assert (tmp_path / "events.db").read_bytes() == spoiled
    monkeypatch.undo()
    opened(tmp_path).close()
    assert numbers(tmp_path) == list(range(EVENTS))


def test_what_is_left_of_a_rescue_that_failed_goes_with_the_next_start(sound: bytes, tmp_path: Path) -> None:
    for name in ("events.salvaging.db", "events.salvaging.db-wal"):
        (tmp_path / name).write_bytes(b"half a copy")
    opened_over(sound, tmp_path).close()
    assert not list(tmp_path.glob("*salvaging*"))


class GivesWhatItHolds(logging.Handler):
    """A disk that gave nothing at first, and gives `content` of the file at `path` once SQLite has complained."""

    def __init__(self, path: Path, content: bytes) -> None:
        super().__init__()
        self.complaints = 0
        self._path = path
        self._content = content

    def emit(self, record: logging.LogRecord) -> None:
        self.complaints += 1
        self._path.write_bytes(self._content)


@contextmanager
def a_disk_that_gives_after_a_complaint(folder: Path, content: bytes) -> Iterator[GivesWhatItHolds]:
    log = logging.getLogger("edged.store.opening")
    handler = GivesWhatItHolds(folder / "events.db", content)
    handler.addFilter(lambda record: handler.complaints == 0 and record.levelno == logging.ERROR)
    log.addHandler(handler)
    try:
        yield handler
    finally:
        log.removeHandler(handler)


def test_a_file_that_proves_sound_when_it_is_read_again_is_not_set_aside(sound: bytes, tmp_path: Path) -> None:
    with a_disk_that_gives_after_a_complaint(tmp_path, sound) as disk:
        opened_over(b"\0" * len(sound), tmp_path).close()
    assert disk.complaints == 1
    assert set_aside_files(tmp_path) == []
    assert numbers(tmp_path) == list(range(EVENTS))


RESCUE = """
import os, pathlib, signal, sys
from edged.clock import SystemClock
from edged.store.events import EventStore

left = int(sys.argv[2])

def end_there(name, arguments):
    global left
    if name in ("os.rename", "os.remove"):  # as the interpreter tells before it asks the kernel
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(end_there)
EventStore(pathlib.Path(sys.argv[1]), clock=SystemClock(), version="2").open()
"""


@pytest.mark.slow
def test_an_end_between_any_two_steps_of_the_rescue_loses_nothing(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged"
    store = EventStore(tmp_path / "sound", clock=FakeClock(), version="1")
    store.open()
    for number in range(EVENTS):
        store.put(an_event(number), None)
        if number == EVENTS // 2:
            store.step()
            assert store._opened is not None
            store._opened.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.step()  # the second half is in the log alone
    shutil.copytree(tmp_path / "sound", damaged)
    store.close()
    (damaged / "events.db").write_bytes(without_its_trees((damaged / "events.db").read_bytes()))

    ended_at = [0]
    while ended_at[-1] >= 0:
        folder = tmp_path / str(len(ended_at))
        shutil.copytree(damaged, folder)
        done = subprocess.run([sys.executable, "-c", RESCUE, str(folder), str(len(ended_at))], check=False)
        ended_at.append(-1 if done.returncode == 0 else len(ended_at))
        assert done.returncode in (0, -signal.SIGKILL)
        opened(folder).close()
        assert numbers(folder) == list(range(EVENTS))
        (kept,) = folder.glob("*.damaged-*.db")
        for suffix in ("", "-wal"):
            assert kept.with_name(kept.name + suffix).read_bytes() == (damaged / f"events.db{suffix}").read_bytes()
        assert not list(folder.glob("*salvag*"))
    assert len(ended_at) > 6


def test_a_reader_of_a_damaged_file_is_told_what_to_do(sound: bytes, tmp_path: Path) -> None:
    (tmp_path / "events.db").write_bytes(b"\xa5" * PAGE_BYTES + sound[PAGE_BYTES:])
    with pytest.raises(StoreCorrupt, match="looks through it"):
        logged(tmp_path)


def test_damage_that_shows_while_writing_is_mended_without_a_restart(
    make_store: MakeStore, clock: FakeClock, tmp_path: Path
) -> None:
    store, path, connection = a_log_at_work(make_store, tmp_path)
    with path.open("r+b") as file:
        file.write(without_its_trees(path.read_bytes()))
    connection.execute("PRAGMA shrink_memory")  # else SQLite has the pages in its cache
    for number in range(EVENTS, EVENTS + 5):
        store.put(an_event(number), None)
        store.step()
        clock.advance(40.0)
    assert numbers(tmp_path / "data") == list(range(EVENTS + 5))
    assert set_aside_files(tmp_path / "data")
    assert store.status.error is None


def test_the_file_is_read_whole_after_a_complaint_even_when_the_run_before_ended_cleanly(
    sound: bytes, tmp_path: Path
) -> None:
    middle = len(sound) // PAGE_BYTES // 2 * PAGE_BYTES
    spoiled = sound[:middle] + b"\xa5" * PAGE_BYTES + sound[middle + PAGE_BYTES :]
    opened_over(spoiled, tmp_path / "unread").close()
    assert set_aside_files(tmp_path / "unread") == [], "else this test shows nothing"
    with a_disk_that_gives_after_a_complaint(tmp_path / "read", spoiled):
        opened_over(b"\0" * len(sound), tmp_path / "read").close()
    assert set_aside_files(tmp_path / "read") != []


def test_a_copy_that_cannot_be_deleted_does_not_keep_a_sound_file_from_being_opened(
    sound: bytes, tmp_path: Path
) -> None:
    (tmp_path / "events.salvaging.db").mkdir()  # as good as a file on a damaged place of the disk
    opened_over(sound, tmp_path).close()
    assert numbers(tmp_path) == list(range(EVENTS))


@pytest.mark.parametrize("damage", ["a page", "a bit of the index"])
def test_damage_that_writing_does_not_meet_is_found_within_a_day(
    make_store: MakeStore, clock: FakeClock, tmp_path: Path, damage: str
) -> None:
    store, path, _ = a_log_at_work(make_store, tmp_path)
    clock.advance(600.0)
    store.step()
    content = bytearray(path.read_bytes())
    if damage == "a page":
        middle = len(content) // PAGE_BYTES // 2 * PAGE_BYTES
        content[middle : middle + PAGE_BYTES] = b"\xa5" * PAGE_BYTES
    else:
        content[content.rfind(logged(path.parent)[EVENTS // 2].event_id.encode())] ^= 1
    path.write_bytes(content)

    clock.advance(85_000.0)
    store.step()
    assert store.status.error is None, "it is not looked through all the time"
    clock.advance(2000.0)
    store.step()
    assert "is damaged" in str(store.status.error)
    clock.advance(2.0)
    store.put(an_event(EVENTS), None)
    store.step()
    assert store.status.error is None
    assert set_aside_files(path.parent) != []
    assert EVENTS - 25 < len(numbers(path.parent)) <= EVENTS + 1
    assert integrity(path.parent) == "ok"


def test_looking_through_the_file_lets_no_other_program_delete_the_log_that_is_written_to(
    make_store: MakeStore, clock: FakeClock, tmp_path: Path
) -> None:
    store, path, _ = a_log_at_work(make_store, tmp_path)
    clock.advance(600.0)
    store.put(an_event(EVENTS), None)
    store.step()
    somebody = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('SELECT * FROM runs'); c.close()"
    subprocess.run([sys.executable, "-c", somebody, path], check=True)
    store.put(an_event(EVENTS + 1), None)
    store.step()
    assert numbers(path.parent) == list(range(EVENTS + 2))


def test_the_end_of_a_run_does_not_wait_until_the_file_is_looked_through(
    make_store: MakeStore, clock: FakeClock, tmp_path: Path
) -> None:
    store, path, _ = a_log_at_work(make_store, tmp_path)
    content = bytearray(path.read_bytes())
    content[content.rfind(logged(path.parent)[EVENTS // 2].event_id.encode())] ^= 1
    path.write_bytes(content)
    clock.advance(600.0)
    stop = threading.Event()
    stop.set()
    store.put(an_event(EVENTS), None)
    store.run(stop)
    assert store.status.error is None
    assert store.status.waiting == 0


def test_damage_that_has_gone_when_the_file_is_opened_anew_sets_nothing_aside(
    make_store: MakeStore, clock: FakeClock, tmp_path: Path
) -> None:
    store, path, connection = a_log_at_work(make_store, tmp_path)
    sound = path.read_bytes()
    path.write_bytes(without_its_trees(sound))
    connection.execute("PRAGMA shrink_memory")
    store.put(an_event(EVENTS), None)
    store.step()
    while_damaged = store.status
    assert while_damaged.error is not None
    path.write_bytes(sound)  # a disk that was reset, and gives again what it holds
    clock.advance(40.0)
    store.step()
    assert store.status.error is None
    assert set_aside_files(tmp_path / "data") == []
    assert numbers(tmp_path / "data") == list(range(EVENTS + 1))


def test_damage_that_only_writing_meets_is_mended_too(make_store: MakeStore, clock: FakeClock, tmp_path: Path) -> None:
    store = make_store()
    store.put(an_event(1), None)
    store.step()
    with closing(sqlite3.connect(tmp_path / "data" / "events.db")) as connection:
        connection.execute("ALTER TABLE events RENAME COLUMN label TO lapel")  # the file hangs together all the same
    for _ in range(3):
        store.put(an_event(2), None)
        store.step()
        clock.advance(40.0)
    assert numbers(tmp_path / "data") == [1, 2, 2, 2]


@pytest.mark.parametrize("damage", ["DELETE FROM runs", "UPDATE runs SET run_id = 'nonsense'"])
def test_a_run_whose_entry_is_gone_is_entered_again_and_loses_no_event(
    make_store: MakeStore, clock: FakeClock, tmp_path: Path, damage: str
) -> None:
    store, path, _ = a_log_at_work(make_store, tmp_path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(damage)
    store.put(an_event(EVENTS), None)
    store.step()
    clock.advance(2.0)
    store.step()
    assert store.status.error is None
    assert store.status.dropped == 0
    assert numbers(path.parent) == list(range(EVENTS + 1))
    assert logged(path.parent)[-1].boot_id == "boot-1"
    assert set_aside_files(path.parent) == []


def test_the_file_is_read_whole_after_an_unclean_end_of_another_run_but_not_of_this_one(
    make_store: MakeStore, tmp_path: Path
) -> None:
    store, path, _ = a_log_at_work(make_store, tmp_path)
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"\xa5" * PAGE_BYTES)
    inspect(path, store.run_id)
    with pytest.raises(StoreCorrupt):
        inspect(path, "another")


def whole_rows(content: bytes, spoiled: bytes) -> set[int]:
    """The track_ids of events on pages that the damage left alone."""
    pages = [
        sound_page
        for start in range(PAGE_BYTES, len(content), PAGE_BYTES)
        if (sound_page := content[start : start + PAGE_BYTES]) == spoiled[start : start + PAGE_BYTES]
    ]
    return {int(str(row[10])) for page in pages for row in rows(page) if len(row) == len(COLUMNS) + 1}


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), holes=st.integers(1, 30))
def test_damage_anywhere_costs_only_the_pages_that_it_hit(
    sound_path: Path, tmp_path_factory: pytest.TempPathFactory, seed: int, holes: int
) -> None:
    sound = sound_path.read_bytes()
    dice = random.Random(seed)
    spoiled = bytearray(sound)
    for _ in range(holes):
        start = dice.randrange(len(spoiled))
        length = dice.choice([1, 4, 64, 512, PAGE_BYTES])
        spoiled[start : start + length] = dice.randbytes(len(spoiled[start : start + length]))
    folder, clock = tmp_path_factory.mktemp("spoiled"), FakeClock()
    try:
        store = opened_over(bytes(spoiled), folder, clock)
    except StoreNewer:
        return  # what the damage made of the header is left alone
    for _ in range(3):
        store.put(an_event(EVENTS), None)
        store.step()
        clock.advance(40.0)
    for _ in range(2):
        store.step()  # mends the damage that the last one may have met, and writes the word of it
        clock.advance(40.0)
    assert (store.status.waiting, store.status.error) == (0, None)
    assert store.status.written in (3, 4)  # with the word that the log was damaged, where that was met only in writing
    store.close()
    try:
        found = set(numbers(folder))
    except StoreCorrupt:
        assert not set_aside_files(
            folder
        )  # after a clean end the file is not read whole: the damage shows when it matters
        return
    if set_aside_files(folder):
        assert whole_rows(sound, bytes(spoiled)) | {EVENTS} <= found
        assert integrity(folder) == "ok"


@settings(max_examples=200, deadline=None)
@given(st.binary(min_size=0, max_size=600))
def test_no_page_is_too_odd_to_be_read(junk: bytes) -> None:
    list(rows(b"\x0d" + junk))
    list(rows(junk))


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.one_of(
                st.none(),
                st.integers(-(2**63), 2**63 - 1),
                st.floats(allow_nan=False),
                st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=60),
                st.binary(max_size=60),
            ),
            st.text("ab", max_size=9),
        ),
        min_size=1,
        max_size=80,
    )
)
def test_rows_read_from_pages_equal_those_that_sqlite_reads(
    tmp_path_factory: pytest.TempPathFactory, values: list[tuple[object, str]]
) -> None:
    path = tmp_path_factory.mktemp("pages") / "some.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        connection.execute("CREATE TABLE t (anything, name TEXT)")
        connection.executemany("INSERT INTO t VALUES (?, ?)", values)
        connection.commit()
        expected = [list(row) for row in connection.execute("SELECT * FROM t ORDER BY rowid")]
    found = [row for page in file_pages(path, page_bytes=PAGE_BYTES) for row in rows(page)]
    assert found == expected
