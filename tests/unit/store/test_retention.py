"""What goes, what stays."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from edged.store.events import EventStore
from edged.store.retention import Retention
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
)

DAY_S = 86_400.0
ID = "01a20a5f-64a5-7149-b45a-94e424cd5c21"  # of no event


def pictures(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in (folder / "snapshots").rglob("*.*"))


def log_at_once(store: EventStore, clock: FakeClock, count: int, jpeg: bytes | None) -> None:
    """Write events 0 to count - 1, of one instant."""
    for number in range(count):
        store.put(an_event(number, at=clock.monotonic()), jpeg)
    store.step()


def test_events_older_than_the_days_to_keep_go_with_their_pictures(
    make_store: MakeStore, clock: FakeClock, tmp_path: Path
) -> None:
    store = make_store(retention=Retention(clock, keep_days=3, snapshots_max_bytes=None))
    for number in range(6):
        store.put(an_event(number, at=clock.monotonic()), JPEG)
        store.step()
        clock.advance(DAY_S)
    store.step()
    store.step()
    kept = logged(tmp_path / "data")
    assert list(map(number_of, kept)) == [3, 4, 5]
    assert pictures(tmp_path / "data") == sorted(str(record.snapshot) for record in kept)
    assert len(list((tmp_path / "data" / "snapshots").glob("*"))) == 3


def test_thousands_of_old_events_go_a_few_at_a_time(make_store: MakeStore, clock: FakeClock, tmp_path: Path) -> None:
    store = make_store(retention=Retention(clock, keep_days=3, snapshots_max_bytes=None))
    log_at_once(store, clock, 1200, None)
    clock.advance(4 * DAY_S)
    left = []
    for _ in range(4):
        store.step()
        left.append(len(logged(tmp_path / "data")))
    assert left == [700, 200, 0, 0]


def test_a_clock_that_jumps_ahead_deletes_nothing(make_store: MakeStore, clock: FakeClock, tmp_path: Path) -> None:
    store = make_store(retention=Retention(clock, keep_days=3, snapshots_max_bytes=None))
    store.put(an_event(1), None)
    store.step()
    clock.jump_wall(3650 * DAY_S)
    clock.advance(700.0)
    store.step()
    assert numbers(tmp_path / "data") == [1]
    clock.jump_wall(-3650 * DAY_S)
    for _ in range(5):
        clock.advance(700.0)
        store.step()
    assert numbers(tmp_path / "data") == [1]


@pytest.mark.parametrize(("synchronised", "days", "left"), [(True, 3, []), (None, 3, [1]), (None, None, [1])])
def test_runs_that_never_last_ten_minutes_delete_too_but_by_age_only_where_a_time_server_has_set_the_clock(
    make_store: MakeStore, clock: FakeClock, tmp_path: Path, synchronised: bool | None, days: float | None, left: object
) -> None:
    store = make_store()
    log_some(store, clock, 1)
    store.close()
    clock.advance(4 * DAY_S)
    clock.is_synchronised = synchronised
    again = make_store(retention=Retention(clock, keep_days=days, snapshots_max_bytes=0))
    again.step()
    assert (numbers(tmp_path / "data"), pictures(tmp_path / "data")) == (left, [])
    clock.advance(1.0)
    again.step()
    assert numbers(tmp_path / "data") == left


def test_a_clock_that_jumped_stays_out_of_it_until_the_look_is_over(
    make_store: MakeStore, clock: FakeClock, tmp_path: Path
) -> None:
    store = make_store()
    log_at_once(store, clock, 1200, JPEG)
    store.close()
    later = another_boot(clock, wall=clock.wall(), boot_id="boot-2")
    retention = Retention(later, keep_days=3, snapshots_max_bytes=None)
    again = EventStore(tmp_path / "data", clock=later, version="1.2.3", retention=retention)
    again.step()
    retention.keep(days=3, snapshots_max_bytes=0)
    later.jump_wall(3650 * DAY_S)
    later.advance(700.0)
    for _ in range(4):  # the pictures go a few at a time
        again.step()
    assert (len(numbers(tmp_path / "data")), pictures(tmp_path / "data")) == (1200, [])
    again.close()


def test_a_clock_that_jumps_in_the_middle_of_a_look_ends_it(
    make_store: MakeStore, clock: FakeClock, tmp_path: Path
) -> None:
    store = make_store()
    log_at_once(store, clock, 1200, None)
    clock.advance(4 * DAY_S)
    log_some(store, clock, 1200)
    store.close()
    later = another_boot(clock, wall=clock.wall(), boot_id="boot-2")
    retention = Retention(later, keep_days=3, snapshots_max_bytes=None)
    again = EventStore(tmp_path / "data", clock=later, version="1.2.3", retention=retention)
    again.step()
    later.jump_wall(3650 * DAY_S)
    for _ in range(4):
        again.step()
    assert numbers(tmp_path / "data") == list(range(500, 1201))
    again.close()
    later.jump_wall(-3650 * DAY_S)
    look_often(again, later, days=0.3)
    assert numbers(tmp_path / "data") == [1200]
    again.close()


def look_often(store: EventStore, clock: FakeClock, *, days: float) -> None:
    """Let time pass with a look at every ten minutes or a bit more."""
    for _ in range(int(days * DAY_S / 3600)):
        clock.advance(3600.0)
        store.step()


def another_boot(clock: FakeClock, *, wall: float, boot_id: str) -> FakeClock:
    return FakeClock(monotonic=20.0, wall=wall, boot_id=boot_id)


def log_some(store: EventStore, clock: FakeClock, *numbers: int) -> None:
    for number in numbers:
        store.put(an_event(number, at=clock.monotonic()), JPEG)
        store.step()


@pytest.mark.parametrize("years", [-30, -10, 10])
def test_events_of_a_boot_with_a_wrong_clock_are_as_old_as_they_are_once_it_is_set(
    make_store: MakeStore, clock: FakeClock, tmp_path: Path, years: int
) -> None:
    clock.jump_wall(years * 365 * DAY_S)  # at boot
    store = make_store(retention=Retention(clock, keep_days=3, snapshots_max_bytes=None))
    log_some(store, clock, 1, 2)
    look_often(store, clock, days=1)
    clock.jump_wall(-years * 365 * DAY_S)  # the network is there
    log_some(store, clock, 3)
    look_often(store, clock, days=1)
    assert numbers(tmp_path / "data") == [1, 2, 3]
    assert len(pictures(tmp_path / "data")) == 3

    look_often(store, clock, days=1.1)
    assert numbers(tmp_path / "data") == [3]
    look_often(store, clock, days=1)
    assert numbers(tmp_path / "data") == []
    assert pictures(tmp_path / "data") == []


@pytest.mark.parametrize("wrong", [800_000_000.0, 2_100_000_000.0])
def test_a_boot_in_another_decade_does_not_count_in_later_boots_and_its_events_go_with_those_after_them(
    tmp_path: Path, clock: FakeClock, wrong: float
) -> None:
    now = 1_780_000_000.0
    for number, (wall, days) in enumerate([(now, 1.0), (wrong, 1.0), (now + 2 * DAY_S, 1.5)]):
        clock = another_boot(clock, wall=wall, boot_id=f"boot-{number}")
        retention = Retention(clock, keep_days=3, snapshots_max_bytes=None)
        store = EventStore(tmp_path / "data", clock=clock, version="1.2.3", retention=retention)
        log_some(store, clock, number)
        look_often(store, clock, days=days)
        if number < 2:
            store.close()
    assert numbers(tmp_path / "data") == [1, 2]  # the first is more than three days old
    assert len(pictures(tmp_path / "data")) == 2

    look_often(store, clock, days=2)
    assert numbers(tmp_path / "data") == []
    store.close()


def test_a_boot_a_year_back_does_not_take_what_was_written_before_it_along(tmp_path: Path) -> None:
    """Where nothing keeps the time over a cut of power, systemd begins in the year in which it was built."""
    now = 1_780_000_000.0
    for number, wall in enumerate([now, now - 365 * DAY_S, now + DAY_S]):
        clock = another_boot(FakeClock(), wall=wall, boot_id=f"boot-{number}")
        retention = Retention(clock, keep_days=3, snapshots_max_bytes=None)
        store = EventStore(tmp_path / "data", clock=clock, version="1.2.3", retention=retention)
        log_some(store, clock, number)
        look_often(store, clock, days=0.1)
        if number < 2:
            store.close()
    assert numbers(tmp_path / "data") == [0, 1, 2]
    look_often(store, clock, days=2.1)
    assert numbers(tmp_path / "data") == [2]
    store.close()


def test_a_clock_that_nobody_has_set_never_deletes_the_newest_events(
    make_store: MakeStore, clock: FakeClock, tmp_path: Path
) -> None:
    store = make_store()
    log_at_once(store, clock, 1200, None)
    store.close()
    clock = another_boot(clock, wall=clock.wall() + 3650 * DAY_S, boot_id="boot-2")
    clock.is_synchronised = None
    after = EventStore(
        tmp_path / "data",
        clock=clock,
        version="1.2.3",
        retention=Retention(clock, keep_days=3, snapshots_max_bytes=None),
    )
    look_often(after, clock, days=1)
    assert numbers(tmp_path / "data") == list(range(200, 1200))
    clock.is_synchronised = True  # ten years have passed
    look_often(after, clock, days=1)
    assert numbers(tmp_path / "data") == []
    after.close()


def test_the_oldest_pictures_go_when_all_are_too_big_but_their_events_stay(
    make_store: MakeStore, clock: FakeClock, tmp_path: Path
) -> None:
    store = make_store(retention=Retention(clock, keep_days=None, snapshots_max_bytes=1000))
    for number in range(30):
        store.put(an_event(number), b"x" * 100)
    store.step()
    clock.advance(700.0)
    store.step()
    records = logged(tmp_path / "data")
    assert len(records) == 30
    assert [record.snapshot is not None for record in records] == [False] * 20 + [True] * 10
    assert len(pictures(tmp_path / "data")) == 10


def test_what_is_too_much_goes_though_an_event_waits_for_the_room_that_it_takes(
    make_store: MakeStore, clock: FakeClock, tmp_path: Path
) -> None:
    retention = Retention(clock, keep_days=None, snapshots_max_bytes=None)
    store = make_store(retention=retention)
    log_some(store, clock, 1, 2, 3)
    retention.keep(days=None, snapshots_max_bytes=0)
    clock.advance(700.0)
    store.put(an_event(4), bytes(300_000))
    with a_full_disk(bytes_max=200_000):
        store.step()
    assert (store.status.waiting, pictures(tmp_path / "data")) == (1, [])


def test_what_a_crash_left_of_pictures_is_deleted_at_the_next_start(make_store: MakeStore, tmp_path: Path) -> None:
    killed = make_store()
    killed.put(an_event(1), JPEG)
    killed.step()
    (kept,) = pictures(tmp_path / "data")
    day = (tmp_path / "data" / kept).parent
    (day / "01a20a5f-64a5-7149-b45a-94e424cd5c21.jpg").write_bytes(JPEG)
    (day / "01a20a5f-64a5-7149-b45a-94e424cd5c22.tmp").write_bytes(JPEG[:3])
    killed._lock.release()
    make_store().open()
    assert pictures(tmp_path / "data") == [kept]


def test_a_picture_without_an_event_goes_with_its_day(make_store: MakeStore, clock: FakeClock, tmp_path: Path) -> None:
    day = tmp_path / "data" / "snapshots" / "2020-01-03"
    store = make_store(retention=Retention(clock, keep_days=3, snapshots_max_bytes=None))
    store.open()
    day.mkdir(parents=True)
    (day / f"{ID}.jpg").write_bytes(JPEG)
    for _ in range(2):
        clock.advance(DAY_S)
        store.step()
    assert not day.exists()


@pytest.mark.parametrize("crashed", [False, True])
def test_runs_without_events_are_forgotten_in_time(
    make_store: MakeStore, clock: FakeClock, tmp_path: Path, crashed: bool
) -> None:
    for _ in range(5):
        store = make_store()
        store.open()
        store.close()
    if crashed:
        with closing(sqlite3.connect(tmp_path / "data" / "events.db")) as connection, connection:
            connection.execute("UPDATE runs SET ended_wall_at = NULL, boot_id = 'the boot before'")
    clock.advance(4 * DAY_S)
    store = make_store(retention=Retention(clock, keep_days=3, snapshots_max_bytes=None))
    store.open()
    clock.advance(700.0)
    store.step()
    with closing(sqlite3.connect(tmp_path / "data" / "events.db")) as connection:
        assert connection.execute("SELECT count(*) FROM runs").fetchone() == (1,)


def test_a_thousand_runs_of_a_night_of_crashes_go_at_one_look_and_those_with_an_event_stay(
    make_store: MakeStore, clock: FakeClock, tmp_path: Path
) -> None:
    store = make_store(retention=Retention(clock, keep_days=3, snapshots_max_bytes=None))
    store.open()
    with closing(sqlite3.connect(tmp_path / "data" / "events.db")) as connection, connection:
        connection.executemany(
            "INSERT INTO runs VALUES (?, 'the boot before', 1.7e9, 0, '1', NULL)", [(f"run {n}",) for n in range(1000)]
        )
    clock.advance(2 * DAY_S)
    store.put(an_event(1, at=clock.monotonic()), None)
    store.step()
    with closing(sqlite3.connect(tmp_path / "data" / "events.db")) as connection, connection:
        connection.execute("UPDATE events SET run_id = 'run 7'")
    clock.advance(2 * DAY_S)
    store.step()
    with closing(sqlite3.connect(tmp_path / "data" / "events.db")) as connection:
        left = {run_id for (run_id,) in connection.execute("SELECT run_id FROM runs")}
    assert left == {"run 7", store.run_id}


def test_what_lies_among_the_pictures_and_is_not_ours_stays_and_does_no_harm(
    make_store: MakeStore, clock: FakeClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    snapshots = tmp_path / "data" / "snapshots"
    store = make_store(retention=Retention(clock, keep_days=3, snapshots_max_bytes=None))
    store.put(an_event(1, at=clock.monotonic()), JPEG)
    store.step()
    (day,) = snapshots.glob("*")
    (day / "@eaDir").mkdir()
    (day / "@eaDir" / "thumb.jpg").write_bytes(b"of the file server")
    (day / "notes.txt").write_bytes(b"of a person")
    (day / f"{ID}.jpg").mkdir()  # cannot be deleted as a picture is
    (snapshots / ".stfolder").mkdir()
    (snapshots / ".stfolder" / f"{ID}.jpg").touch()
    (snapshots / "2020-01-01").symlink_to(snapshots / ".stfolder")
    (snapshots / "2020-01-02").touch()
    (snapshots / "2020-01-03").mkdir()
    strange = sorted(set(snapshots.rglob("*")) - {snapshots / "2020-01-03"} - set(day.glob("018bcfe5-*")))
    for _ in range(5):
        clock.advance(2 * DAY_S)
        store.step()
        assert store.status.error is None
    assert numbers(tmp_path / "data") == []
    assert sorted(snapshots.rglob("*")) == strange
    assert [str(day) in entry.getMessage() for entry in caplog.records] == [True]


def test_what_is_not_ours_is_no_orphan(make_store: MakeStore, tmp_path: Path) -> None:
    killed = make_store()
    killed.put(an_event(1), JPEG)
    killed.step()
    (day,) = (tmp_path / "data" / "snapshots").glob("*")
    (day / "@eaDir").mkdir()
    (day / "notes.txt").touch()
    (day / f"{ID}.jpg").mkdir()
    (day.parent / "README").touch()
    before = sorted(day.parent.rglob("*"))
    killed._lock.release()
    make_store().open()
    assert sorted(day.parent.rglob("*")) == before


def test_a_picture_that_cannot_be_deleted_keeps_no_event_waiting(
    clock: FakeClock, open_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    open_folder.chmod(0o777)
    retention = Retention(clock, keep_days=None, snapshots_max_bytes=None)
    with an_ordinary_user():
        store = EventStore(open_folder, clock=clock, version="1", retention=retention)
        for number in range(3):
            store.put(an_event(number), JPEG)
        store.step()
        (day,) = (open_folder / "snapshots").glob("*")
        day.chmod(0o555)
        retention.keep(days=None, snapshots_max_bytes=10)
        for number in range(3, 6):
            clock.advance(700.0)
            store.put(an_event(number), None)
            store.step()
        assert (store.status.waiting, store.status.error) == (0, None)
        day.chmod(0o755)
        store.close()
    assert [entry.levelname for entry in caplog.records] == ["WARNING"]
    assert str(day) in caplog.text


@pytest.mark.parametrize(
    "limit", [{"keep_days": 3, "snapshots_max_bytes": None}, {"keep_days": None, "snapshots_max_bytes": 0}]
)
def test_a_time_and_a_size_that_are_none_do_not_keep_what_is_old(
    make_store: MakeStore, clock: FakeClock, tmp_path: Path, limit: dict[str, int | None]
) -> None:
    store = make_store(
        retention=Retention(clock, keep_days=limit["keep_days"], snapshots_max_bytes=limit["snapshots_max_bytes"])
    )
    for number in range(3):
        store.put(an_event(number, at=clock.monotonic()), JPEG)
    store.step()
    with closing(sqlite3.connect(tmp_path / "data" / "events.db")) as connection, connection:
        connection.execute(
            "UPDATE events SET wall_at = 1e300, at = 1e300 WHERE track_id = 1"
        )  # a bit of it has flipped
        connection.execute("UPDATE events SET snapshot_bytes = x'00' WHERE track_id = 1")
    clock.advance(4 * DAY_S)
    store.step()
    store.step()
    assert store.status.error is None
    with closing(sqlite3.connect(tmp_path / "data" / "events.db")) as connection:
        kept = connection.execute("SELECT count(*) FROM events WHERE snapshot IS NOT NULL").fetchone()[0]
    assert kept == 0
