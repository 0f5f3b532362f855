"""The writer of the event log, on a real disk."""

from __future__ import annotations

import errno
import logging
import math
import os
import shutil
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from edged.domain.events import EventKind, TrackEvent
from edged.errors import StoreError, StoreFull, StoreLocked, StoreNewer, StoreNotFound, StoreNotWritable
from edged.store.events import WRITE_EVERY_S, EventStore
from edged.store.migrations import MIGRATIONS
from edged.store.reader import EventLog
from edged.testing.clock import FakeClock
from tests.unit.store.conftest import (
    JPEG,
    MakeStore,
    a_full_disk,
    an_event,
    an_ordinary_user,
    logged,
    number_of,
    numbers,
    outages,
)


def test_an_event_comes_back_as_it_went_in(make_store: MakeStore, clock: FakeClock, tmp_path: Path) -> None:
    store = make_store()
    store.open()
    store.put(an_event(5, at=990.0), JPEG)
    store.step()
    (record,) = logged(tmp_path / "data")
    assert record.event == an_event(5, at=990.0)
    assert record.wall_at == clock.wall() - 10.0
    assert record.boot_id == "boot-1"
    assert record.run_id == store.run_id
    assert record.snapshot is not None
    assert (tmp_path / "data" / record.snapshot).read_bytes() == JPEG
    assert record.snapshot == f"snapshots/2023-11-14/{record.event_id}.jpg"


def test_numbers_of_numpy_are_stored_as_numbers(make_store: MakeStore, tmp_path: Path) -> None:
    store = make_store()
    store.put(an_event(np.int64(3), confidence=np.float32(0.5)), None)
    store.step()
    (record,) = logged(tmp_path / "data")
    assert isinstance(record.event, TrackEvent)
    assert (type(record.event.confidence), record.event.confidence) == (float, 0.5)


def test_nothing_is_on_the_disk_before_a_step(make_store: MakeStore, tmp_path: Path) -> None:
    store = make_store()
    store.put(an_event(), JPEG)
    assert not (tmp_path / "data").exists()
    assert store.status.waiting == 1


def interrupt_the_making(folder: Path) -> None:
    """Leave in `folder` what a cut of power leaves of the event log's very first commit."""
    unfinished = folder.with_name("unfinished")
    for place in (folder, unfinished):
        place.mkdir()
    with closing(sqlite3.connect(unfinished / "events.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA cache_size = 1")  # so that it writes before the commit
        connection.execute("BEGIN")
        connection.execute("CREATE TABLE events (event_id TEXT)")
        connection.executemany("INSERT INTO events VALUES (?)", [(1000 * "x",)] * 100)
        for path in unfinished.iterdir():
            shutil.copy(path, folder)
    assert {path.name for path in folder.iterdir()} == {"events.db", "events.db-journal"}


def test_a_log_whose_making_was_interrupted_is_made_anew(make_store: MakeStore, tmp_path: Path) -> None:
    interrupt_the_making(tmp_path / "data")
    store = make_store()
    store.put(an_event(1), None)
    store.step()
    assert numbers(tmp_path / "data") == [1]
    assert not list((tmp_path / "data").glob("*.damaged-*"))


def test_a_reader_of_a_log_whose_making_was_interrupted_hears_what_to_do(tmp_path: Path) -> None:
    interrupt_the_making(tmp_path / "data")
    with pytest.raises(StoreNotFound, match="interrupted while it made") as raised:
        logged(tmp_path / "data")
    assert "edged run" in str(raised.value.hint)


def test_many_events_are_written_in_the_order_of_put(make_store: MakeStore, tmp_path: Path) -> None:
    store = make_store()
    for number in range(1234):
        store.put(an_event(number), None)
    store.step()
    assert numbers(tmp_path / "data") == list(range(1234))
    assert (store.status.written, store.status.waiting) == (1234, 0)


def test_the_loop_writes_soon_and_what_is_left_when_it_is_stopped(
    make_store: MakeStore, clock: FakeClock, tmp_path: Path
) -> None:
    class Visitor(threading.Event):
        """A stop event whose askings are the test's script."""

        asked = 0

        def is_set(self) -> bool:
            self.asked += 1
            if self.asked == 3:
                store.put(an_event(1), None)
            if self.asked > 8:
                store.put(an_event(2), None)
                return True
            return False

    store = make_store()
    started_at = clock.monotonic()
    store.run(Visitor())
    assert numbers(tmp_path / "data")[0] == 1
    assert numbers(tmp_path / "data")[-1] == 2
    assert WRITE_EVERY_S <= 0.5
    assert clock.monotonic() - started_at <= 8 * WRITE_EVERY_S


def test_ids_ascend_in_the_order_of_writing_even_when_the_clock_goes_back(
    make_store: MakeStore, clock: FakeClock, tmp_path: Path
) -> None:
    for run in range(3):
        store = make_store()
        store.open()
        store.put(an_event(run), None)
        store.step()
        store.close()
        clock.jump_wall(-86_400 * 3650)
    records = logged(tmp_path / "data")
    assert list(map(number_of, records)) == [0, 1, 2]
    assert records[0].wall_at > records[1].wall_at > records[2].wall_at


# Trouble with the disk


def test_a_full_disk_keeps_events_waiting_until_there_is_space(
    make_store: MakeStore, clock: FakeClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = make_store()
    store.open()
    with a_full_disk():
        for number in range(50):
            store.put(an_event(number), JPEG)
            store.step()
            clock.advance(1.0)
        full = store.status
    assert (full.waiting, full.written) == (50, 0)
    assert full.error is not None
    assert len([entry for entry in caplog.records if entry.levelno >= logging.ERROR]) == 1
    clock.advance(31.0)
    store.step()
    assert numbers(tmp_path / "data") == list(range(50))
    assert (store.status.error, store.status.dropped) == (None, 0)
    assert all((tmp_path / "data" / str(record.snapshot)).read_bytes() == JPEG for record in logged(tmp_path / "data"))
    assert "written again" in caplog.text


def test_an_outage_is_told_once_when_it_is_surely_over_with_what_it_cost(
    make_store: MakeStore, clock: FakeClock, tmp_path: Path
) -> None:
    store = make_store(waiting_max=5)
    store.open()
    began_at = clock.monotonic()
    for number in range(3):  # a disk that is all but full
        with a_full_disk():
            for _ in range(4):
                store.put(an_event(number), None)
                store.step()
                clock.advance(10.0)
        clock.advance(31.0)
        store.step()
        back_at = clock.monotonic()
        clock.advance(20.0)
        store.step()
    assert outages(tmp_path / "data") == []
    with a_full_disk():
        for number in range(20):
            store.put(an_event(number), None)
            store.step()
    clock.advance(31.0)
    store.step()
    back_at = clock.monotonic()
    clock.advance(31.0)
    for _ in range(3):
        store.step()
    (outage,) = outages(tmp_path / "data")
    assert (outage.kind, outage.reason) == (EventKind.STORAGE_BACK, "full")
    assert (outage.started_at, outage.at) == (began_at, back_at)
    assert outage.detail is not None
    assert f"{store.status.dropped} events or pictures were lost" in outage.detail
    assert store.status.dropped > 0


@pytest.mark.parametrize("bytes_max", [4096, 30_000, pytest.param(50_000, marks=pytest.mark.slow)])
def test_a_disk_that_fills_up_midway_loses_and_doubles_nothing(
    make_store: MakeStore, clock: FakeClock, tmp_path: Path, bytes_max: int
) -> None:
    store = make_store()
    with a_full_disk(bytes_max=bytes_max):
        for number in range(100):
            store.put(an_event(number), JPEG)
            store.step()
            clock.advance(10.0)
    assert store.status.error is not None
    clock.advance(31.0)
    store.step()
    assert numbers(tmp_path / "data") == list(range(100))
    assert store.status.written == 100


def test_a_snapshots_folder_that_cannot_be_made_costs_pictures_and_no_events(
    make_store: MakeStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    in_the_way = tmp_path / "data" / "snapshots"
    in_the_way.parent.mkdir()
    in_the_way.write_text("a file where the folder should be")
    store = make_store()
    for number in range(3):
        store.put(an_event(number), JPEG)
        store.put(an_event(number + 10), None)
        store.step()
    assert [(number_of(r), r.snapshot) for r in logged(tmp_path / "data")] == [
        (number, None) for number in (0, 10, 1, 11, 2, 12)
    ]
    assert (store.status.snapshots_dropped, store.status.dropped, store.status.error) == (3, 0, None)
    assert caplog.text.count("without their pictures") == 1
    assert f"cannot write {in_the_way}: " in caplog.text
    in_the_way.unlink()
    store.put(an_event(4), JPEG)
    store.step()
    assert logged(tmp_path / "data")[-1].snapshot is not None
    assert "pictures are written again; 3 were lost" in caplog.text


def test_a_snapshots_folder_of_another_user_costs_pictures_and_no_events(
    clock: FakeClock, open_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    open_folder.chmod(0o777)
    (open_folder / "snapshots").mkdir(mode=0o555)
    with an_ordinary_user():
        store = EventStore(open_folder, clock=clock, version="1")
        store.put(an_event(1), JPEG)
        store.step()
    store.close()
    assert [(number_of(r), r.snapshot) for r in logged(open_folder)] == [(1, None)]
    assert store.status.snapshots_dropped == 1
    assert f"cannot write {open_folder / 'snapshots'}" in caplog.text


def test_a_picture_waits_with_its_event_while_neither_can_be_written(
    make_store: MakeStore, clock: FakeClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = make_store()
    store.open()
    in_the_way = tmp_path / "data" / "snapshots"
    in_the_way.write_text("a file where the folder should be")
    with a_full_disk():
        store.put(an_event(1), JPEG)
        store.step()
    assert (store.status.waiting, store.status.snapshots_dropped) == (1, 0)
    assert "without their pictures" not in caplog.text
    in_the_way.unlink()
    clock.advance(2.0)
    store.step()
    assert logged(tmp_path / "data")[0].snapshot is not None


def test_retries_come_less_and_less_often(make_store: MakeStore, clock: FakeClock, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    store = make_store()
    store.put(an_event(), None)
    tries = []
    seen = ""
    for second in range(120):
        store.step()
        if repr(store._retry_at) != seen:
            seen = repr(store._retry_at)
            tries.append(second)
        clock.advance(1.0)
    assert tries == [0, 1, 3, 7, 15, 31, 61, 91]


def test_when_too_many_wait_the_oldest_are_dropped_and_counted(
    make_store: MakeStore, clock: FakeClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = make_store(waiting_max=10)
    for number in range(25):
        store.put(an_event(number), None)
    assert (store.status.waiting, store.status.dropped) == (10, 15)
    assert caplog.text.count("the oldest are lost") == 1
    store.step()
    assert numbers(tmp_path / "data") == list(range(15, 25))


def test_every_flood_is_told_of_but_not_each_of_many_in_a_minute(
    make_store: MakeStore, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    store = make_store(waiting_max=10)
    told = []
    for pause_s in (0.0, 0.25, 59.0, 61.0, 86_400.0, 30.0):
        clock.advance(pause_s)
        for number in range(15):
            store.put(an_event(number), None)
        told.append(caplog.text.count("the oldest are lost"))
        store.step()
    assert told == [1, 1, 1, 2, 3, 3]
    assert store.status.dropped == 30


def test_pictures_that_wait_are_bounded_by_their_bytes(make_store: MakeStore, tmp_path: Path) -> None:
    store = make_store(bytes_max=100)
    for number in range(4):
        store.put(an_event(number), b"x" * 40)
    store.step()
    assert [record.snapshot is not None for record in logged(tmp_path / "data")] == [True, True, False, False]
    assert store.status.snapshots_dropped == 2
    store.put(an_event(5), b"x" * 40)
    store.step()
    assert logged(tmp_path / "data")[-1].snapshot is not None


def test_an_event_that_no_database_takes_does_not_hold_up_the_others(make_store: MakeStore, tmp_path: Path) -> None:
    store = make_store()
    store.put(an_event(1), None)
    store.put(an_event(2, confidence=math.nan), None)
    store.put(an_event(1 << 70), None)
    store.put(an_event(3, label="\ud800"), None)
    store.put(an_event(4, confidence=math.inf), None)
    store.put(an_event(5), None)
    store.step()
    assert numbers(tmp_path / "data") == [1, 5]
    assert (store.status.written, store.status.dropped, store.status.error) == (2, 4, None)


def test_what_an_earlier_run_left_is_looked_at_once_and_not_after_every_failure(
    make_store: MakeStore, clock: FakeClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    killed = make_store()
    killed.put(an_event(0), JPEG)
    killed.step()
    killed._lock.release()
    store = make_store()
    store.open()
    assert caplog.text.count("did not end cleanly") == 1
    picture = tmp_path / "data" / str(logged(tmp_path / "data")[0].snapshot)
    stray = picture.with_name("01a20a5f-64a5-7149-b45a-94e424cd5c21.jpg")
    stray.write_bytes(JPEG)
    with a_full_disk():
        store.put(an_event(1), None)
        store.step()
    clock.advance(2.0)
    store.step()
    assert store.status.error is None
    assert caplog.text.count("did not end cleanly") == 1
    assert stray.exists()


def test_a_folder_that_cannot_be_written_is_a_clear_error_and_mends_itself(
    make_store: MakeStore, clock: FakeClock, tmp_path: Path
) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    store = make_store()
    with pytest.raises(StoreNotWritable, match="data"):
        store.open()
    store.put(an_event(), None)
    store.step()
    assert store.status.waiting == 1
    (tmp_path / "data").unlink()
    clock.advance(2.0)
    store.step()
    assert numbers(tmp_path / "data") == [0]


@pytest.mark.parametrize("bytes_max", [0, 4096, 8192])
def test_a_full_disk_is_told_from_a_folder_that_may_not_be_written(make_store: MakeStore, bytes_max: int) -> None:
    with a_full_disk(bytes_max=bytes_max), pytest.raises(StoreFull):
        make_store().open()


def test_a_folder_of_the_kernel_is_a_clear_error(clock: FakeClock) -> None:
    if not Path("/proc/self").is_dir():
        pytest.skip("no /proc here")
    with pytest.raises(StoreNotWritable):
        EventStore(Path("/proc/self"), clock=clock, version="1").open()


def test_a_read_only_folder_is_a_clear_error(clock: FakeClock, open_folder: Path) -> None:
    open_folder.chmod(0o555)
    with an_ordinary_user(), pytest.raises(StoreNotWritable, match="Permission denied") as caught:
        EventStore(open_folder, clock=clock, version="1").open()
    assert not isinstance(caught.value, StoreFull)


def test_a_read_only_database_is_a_clear_error(clock: FakeClock, open_folder: Path) -> None:
    store = EventStore(open_folder, clock=clock, version="1")
    store.open()
    store.close()
    open_folder.chmod(0o777)
    (open_folder / "edged.lock").chmod(0o666)
    (open_folder / "events.db").chmod(0o444)
    with an_ordinary_user(), pytest.raises(StoreNotWritable, match="readonly") as caught:
        EventStore(open_folder, clock=clock, version="1").open()
    assert not isinstance(caught.value, StoreFull)


def test_a_file_or_a_dangling_link_in_the_data_folders_place_is_called_so(
    make_store: MakeStore, tmp_path: Path
) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    with pytest.raises(StoreNotWritable, match="data: it is a file, and a folder is needed"):
        make_store().open()
    (tmp_path / "data").unlink()
    (tmp_path / "data").symlink_to(tmp_path / "unplugged")
    with pytest.raises(StoreNotWritable, match="data: it is a link to nothing, and a folder is needed"):
        make_store().open()


@pytest.mark.parametrize("kind", ["folder", "device", "pipe"])
def test_what_is_no_file_in_the_databases_place_is_called_so(make_store: MakeStore, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "data" / "events.db"
    path.parent.mkdir()
    if kind == "folder":
        path.mkdir()
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        os.mkfifo(path)
    why = "it is a folder" if kind == "folder" else "it is not a regular file"
    with pytest.raises(StoreNotWritable, match=rf"events\.db: {why}") as caught:
        make_store().open()
    assert "dmesg" not in str(caught.value)
    with pytest.raises(StoreError, match=rf"events\.db: {why}"):
        logged(tmp_path / "data")
    assert path.exists()


def test_a_database_that_was_deleted_meanwhile_is_begun_anew_and_that_is_told(
    make_store: MakeStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = make_store()
    store.put(an_event(1), None)
    store.step()
    for file in (tmp_path / "data").glob("events.db*"):
        file.unlink()
    store.put(an_event(2), None)
    store.step()
    assert numbers(tmp_path / "data") == [2]
    assert [message for message in caplog.messages if "events.db was deleted or exchanged" in message]


def test_a_folder_that_cannot_be_looked_into_any_more_is_told_as_that(
    make_store: MakeStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = make_store()
    store.open()
    (tmp_path / "data").rename(tmp_path / "elsewhere")
    (tmp_path / "data").write_text("no folder")
    store.put(an_event(1), None)
    store.step()
    assert store.status.waiting == 1
    assert "data: it is a file, and a folder is needed" in caplog.text
    assert "was deleted or exchanged" not in caplog.text


@pytest.mark.slow
def test_another_program_that_holds_the_database_only_delays(
    make_store: MakeStore, clock: FakeClock, tmp_path: Path
) -> None:
    store = make_store()
    store.open()
    other = sqlite3.connect(tmp_path / "data" / "events.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    store.put(an_event(1), None)
    store.step()
    assert "another program" in str(store.status.error)
    other.execute("ROLLBACK")
    other.close()
    clock.advance(2.0)
    store.step()
    assert numbers(tmp_path / "data") == [1]


# Who may open what


def test_a_second_daemon_is_told_the_pid_of_the_first(make_store: MakeStore) -> None:
    make_store().open()
    with pytest.raises(StoreLocked, match=rf"pid {os.getpid()}\)"):
        make_store().open()


def test_a_disk_that_became_read_only_as_the_lock_was_taken_is_no_other_daemon(
    make_store: MakeStore, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(fd: int, length: int) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    store = make_store()
    with monkeypatch.context() as patched:
        patched.setattr(os, "ftruncate", refuse)
        with pytest.raises(StoreNotWritable, match="Read-only file system"):
            store.open()
        with pytest.raises(StoreLocked):
            make_store().open()
    store.open()


def test_looking_for_the_holder_of_a_lock_in_vain_leaves_no_file_open(
    make_store: MakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(fd: int, size: int, offset: int) -> bytes:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    make_store().open()
    open_files = len(list(Path("/proc/self/fd").iterdir()))
    monkeypatch.setattr(os, "pread", refuse)
    with pytest.raises(StoreNotWritable, match="Input/output error"):
        make_store().open()
    assert len(list(Path("/proc/self/fd").iterdir())) == open_files


def test_the_folder_is_free_again_after_close(make_store: MakeStore) -> None:
    first = make_store()
    first.open()
    first.close()
    make_store().open()


def test_a_database_from_the_future_is_left_alone(make_store: MakeStore, tmp_path: Path) -> None:
    store = make_store()
    store.put(an_event(1), None)
    store.step()
    store.close()
    path = tmp_path / "data" / "events.db"
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreNewer, match="newer edged"):
        make_store().open()
    with pytest.raises(StoreNewer):
        logged(tmp_path / "data")
    assert path.read_bytes() == before


def test_the_log_tells_of_a_last_run_that_did_not_end_cleanly(
    make_store: MakeStore, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        store = make_store()
        store.open()
        store.close()
    killed = make_store()
    killed.open()
    assert not caplog.records
    killed._lock.release()
    make_store().open()
    assert "the last run did not end cleanly" in caplog.text


def test_reading_where_there_is_no_log_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(StoreNotFound, match=r"events\.db"):
        logged(tmp_path)
    (tmp_path / "events.db").touch()
    with pytest.raises(StoreNotFound):
        EventLog(tmp_path).last_event_id()


def test_every_error_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught:
        logged(tmp_path)
    assert caught.value.hint
