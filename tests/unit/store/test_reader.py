"""Reading the event log while it is written."""

from __future__ import annotations

import itertools
import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from edged.domain.events import EventKind
from edged.errors import StoreError
from edged.store.events import EventStore
from edged.store.reader import EventFilter, EventLog
from edged.store.record_json import record_to_json
from edged.testing.clock import FakeClock
from tests.unit.store.conftest import JPEG, MakeStore, a_camera_event, an_event, an_ordinary_user, logged, number_of

WALL = 1_700_000_000.0  # when FakeClock says 1000 monotonic


@pytest.fixture
def filled(make_store: MakeStore, tmp_path: Path) -> EventLog:
    store = make_store()
    store.put(an_event(0, at=1000.0, camera="yard", label="person", kind=EventKind.APPEARED), None)
    store.put(an_event(1, at=1001.0, camera="gate", label="person", kind=EventKind.APPEARED), None)
    store.put(an_event(2, at=1002.0, camera="yard", label="person"), JPEG)
    store.put(an_event(3, at=1003.0, camera="yard", label="car"), None)
    store.step()
    store.close()
    return EventLog(tmp_path / "data")


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (EventFilter(), [0, 1, 2, 3]),
        (EventFilter(since_wall_at=WALL + 1), [1, 2, 3]),
        (EventFilter(until_wall_at=WALL + 1), [0]),
        (EventFilter(since_wall_at=WALL + 1, until_wall_at=WALL + 3), [1, 2]),
        (EventFilter(cameras=["gate"]), [1]),
        (EventFilter(kinds=[EventKind.LEFT]), [2, 3]),
        (EventFilter(labels=["car"]), [3]),
        (EventFilter(labels=["car", "person"], cameras=["gate", "nowhere"]), [1]),
        (EventFilter(cameras=["yard"], labels=["person"], kinds=[EventKind.LEFT]), [2]),
        (EventFilter(cameras=["'; DROP TABLE events; --"]), []),
    ],
)
def test_only_what_is_wanted_is_read(filled: EventLog, wanted: EventFilter, expected: list[int]) -> None:
    assert list(map(number_of, filled.read(wanted))) == expected


def test_the_newest_come_in_the_order_of_writing(filled: EventLog) -> None:
    assert list(map(number_of, filled.newest(limit=2))) == [2, 3]
    assert list(map(number_of, filled.newest(EventFilter(cameras=["yard"]), limit=9))) == [0, 2, 3]


def test_a_follower_gets_each_event_once(filled: EventLog, make_store: MakeStore) -> None:
    last = filled.last_event_id()
    assert list(filled.read(after=last)) == []
    store = make_store()
    store.put(an_event(4), None)
    store.step()
    assert list(map(number_of, filled.read(after=last))) == [4]


def test_a_reader_in_the_middle_of_reading_does_not_keep_the_writer_waiting(
    make_store: MakeStore, tmp_path: Path
) -> None:
    store = make_store()
    for number in range(1500):
        store.put(an_event(number), None)
    store.step()
    reading = EventLog(tmp_path / "data").read()
    seen = [number_of(next(reading))]
    for number in range(1500, 4500):
        store.put(an_event(number), None)
        if number % 50 == 0:
            store.step()
            seen.append(number_of(next(reading)))
    store.step()
    assert store.status.error is None
    seen += map(number_of, reading)
    assert seen == list(range(4500))
    assert (tmp_path / "data" / "events.db-wal").stat().st_size < 2 * 1024 * 1024


def test_a_user_who_may_only_read_sees_the_events(clock: FakeClock, open_folder: Path) -> None:
    store = EventStore(open_folder, clock=clock, version="1")
    store.put(an_event(1), None)
    store.step()
    with an_ordinary_user():
        assert list(map(number_of, EventLog(open_folder).read())) == [1]
    store.close()
    with an_ordinary_user():
        assert list(map(number_of, EventLog(open_folder).read())) == [1]


@pytest.mark.parametrize("closed", ["data", "data/events.db"])
def test_what_is_closed_to_this_user_is_told_with_what_to_do(clock: FakeClock, open_folder: Path, closed: str) -> None:
    store = EventStore(open_folder / "data", clock=clock, version="1")
    store.open()
    store.close()
    (open_folder / closed).chmod(0o700 if os.geteuid() == 0 else 0)
    with an_ordinary_user(), pytest.raises(StoreError, match="cannot read") as caught:
        logged(open_folder / "data")
    (open_folder / closed).chmod(0o700)
    assert "sudo -u" in caught.value.hint


def change(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / "events.db", isolation_level=None)) as connection:
        connection.executescript(statement)


@pytest.mark.parametrize(
    "damage",
    [
        "wall_at = 1e300",
        "wall_at = 'noon'",
        "duration_s = 9e999",
        "left_px = 9e999",
        "kind = 'lefu'",
        "camera = x'79617264'",
        "label = CAST(x'706572f36f6e' AS TEXT)",
        "event_id = 'nonsense'",
        "event_id = CAST(x'30ff' AS TEXT)",
        "event_id = x'30ff'",
    ],
)
def test_a_damaged_event_is_left_out_and_told_of_once_with_a_way_to_be_rid_of_it(
    filled: EventLog, tmp_path: Path, damage: str
) -> None:
    change(tmp_path / "data", f"UPDATE events SET {damage} WHERE track_id = 2")
    assert list(map(number_of, filled.read())) == [0, 1, 3]
    assert list(map(number_of, filled.newest(limit=3))) == [0, 1, 3]
    told = filled.left_out()
    assert told is not None
    assert list(map(number_of, filled.read())) == [0, 1, 3]
    assert filled.left_out() is None

    _, statement, _ = told.hint.split('"')
    change(tmp_path / "data", statement)
    again = EventLog(tmp_path / "data")
    assert list(map(number_of, again.read())) == [0, 1, 3]
    assert again.left_out() is None


def test_of_many_damaged_events_the_first_are_named_and_the_others_counted(
    make_store: MakeStore, tmp_path: Path
) -> None:
    store = make_store()
    for number in range(30):
        store.put(an_event(number), None)
    store.step()
    log = EventLog(tmp_path / "data")
    ids = [record.event_id for record in log.read()]
    change(tmp_path / "data", "UPDATE events SET kind = 'lefu' WHERE track_id < 25")
    assert list(map(number_of, log.read())) == [25, 26, 27, 28, 29]
    assert list(map(number_of, log.newest(limit=10))) == [25, 26, 27, 28, 29]
    told = log.left_out()
    assert told is not None
    assert told.message.endswith(" and 15 more.")
    assert [event_id in told.message for event_id in ids[:25]] == [True] * 10 + [False] * 15


def test_the_newest_events_are_found_behind_as_many_damaged_ones(make_store: MakeStore, tmp_path: Path) -> None:
    store = make_store()
    for number in range(30):
        store.put(an_event(number), None)
    store.step()
    change(tmp_path / "data", "UPDATE events SET kind = 'lefu' WHERE track_id >= 20")
    assert list(map(number_of, EventLog(tmp_path / "data").newest(limit=2))) == [18, 19]


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM runs",
        "UPDATE runs SET run_id = 'nonsense'",
        "UPDATE runs SET boot_id = CAST(x'ff' AS TEXT)",
        "UPDATE events SET run_id = 'nonsense'",
    ],
)
def test_events_of_a_run_that_is_damaged_are_read_all_the_same(filled: EventLog, tmp_path: Path, damage: str) -> None:
    change(tmp_path / "data", damage)
    records = list(filled.read())
    assert list(map(number_of, records)) == [0, 1, 2, 3]
    assert {record.boot_id for record in records} == {"unknown"}


def test_a_damaged_index_leads_nobody_in_circles(make_store: MakeStore, tmp_path: Path) -> None:
    store = make_store()
    for number in range(1500):
        store.put(an_event(number), None)
    store.step()
    store.close()
    path = tmp_path / "data" / "events.db"
    (event_id,) = (record.event_id for record in logged(path.parent) if number_of(record) == 1498)
    name, content = event_id.encode(), path.read_bytes()
    for place in (content.find(name), content.rfind(name)):  # one of the two is the index
        path.write_bytes(content[:place] + b"1" + content[place + 1 :])  # a flipped bit: now it seems the newest
        numbers = [number_of(record) for record in itertools.islice(EventLog(path.parent).read(), 2000)]
        assert set(numbers) == set(range(1500))
        assert len(numbers) <= 1501


def test_an_empty_log_is_no_error(make_store: MakeStore, tmp_path: Path) -> None:
    make_store().open()
    assert logged(tmp_path / "data") == []
    assert EventLog(tmp_path / "data").last_event_id() == ""


def test_the_json_form_has_everything_and_is_plain(filled: EventLog, clock: FakeClock) -> None:
    record = list(filled.read())[2]
    form = json.loads(json.dumps(record_to_json(record), allow_nan=False))
    assert form == {
        "event_id": record.event_id,
        "time": "2023-11-14T22:13:22.000Z",
        "kind": "left",
        "camera": "yard",
        "label": "person",
        "confidence": 0.75,
        "track_id": 2,
        "duration_s": 4.5,
        "reason": "gone",
        "detail": None,
        "tlwh": [10.5, 20.25, 40.0, 100.0],
        "entry_xy": [30.0, 119.0],
        "exit_xy": [30.5, 120.25],
        "snapshot": record.snapshot,
        "wall_at": WALL + 2,
        "at": 1002.0,
        "started_at": 997.5,
        "boot_id": "boot-1",
        "run_id": record.run_id,
    }


def test_an_event_of_a_camera_has_the_same_fields_and_none_for_what_only_objects_have(
    make_store: MakeStore, tmp_path: Path
) -> None:
    store = make_store()
    store.put(a_camera_event(), None)
    store.step()
    (record,) = logged(tmp_path / "data")
    form = json.loads(json.dumps(record_to_json(record), allow_nan=False))
    assert {name: value for name, value in form.items() if value is not None} == {
        "event_id": record.event_id,
        "time": "2023-11-14T22:13:10.000Z",
        "kind": "camera_lost",
        "camera": "yard",
        "duration_s": 0.0,
        "reason": "unplugged",
        "detail": "/dev/video0 went away",
        "wall_at": WALL - 10,
        "at": 990.0,
        "started_at": 990.0,
        "boot_id": "boot-1",
        "run_id": record.run_id,
    }
    store.put(an_event(1), None)
    store.step()
    assert list(record_to_json(logged(tmp_path / "data")[1])) == list(form)
