"""The schema's history."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from edged.domain.events import EventRecord
from edged.errors import StoreFull
from edged.store.database import open_writer
from edged.store.migrations import MIGRATIONS, Migration, migrate, version_of
from edged.store.rows import COLUMNS, INSERT, record_to_row
from tests.unit.store.conftest import MakeStore, a_camera_event, an_event, logged, write_schema_1

HISTORY: tuple[Migration, ...] = (
    ("CREATE TABLE t (a TEXT)",),
    ("ALTER TABLE t ADD COLUMN b INTEGER NOT NULL DEFAULT 7", "CREATE INDEX t_b ON t (b)"),
    ("UPDATE t SET a = upper(a)",),
)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(tmp_path / "some.db", isolation_level=None)) as connection:
        yield connection


@pytest.mark.parametrize("version", range(1, len(HISTORY) + 1))
def test_rows_live_through_every_step_from_every_version(connection: sqlite3.Connection, version: int) -> None:
    migrate(connection, HISTORY[:version])
    connection.execute("INSERT INTO t (a) VALUES ('x')")
    migrate(connection, HISTORY)
    assert version_of(connection) == len(HISTORY)
    assert connection.execute("SELECT b FROM t WHERE upper(a) = 'X'").fetchall() == [(7,)]


def test_a_step_that_fails_leaves_no_trace(connection: sqlite3.Connection) -> None:
    migrate(connection, HISTORY[:1])
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection, (*HISTORY[:1], ("ALTER TABLE t ADD COLUMN c TEXT", "this is no SQL")))
    assert version_of(connection) == 1
    assert not connection.in_transaction
    assert [row[1] for row in connection.execute("PRAGMA table_info(t)")] == ["a"]


def test_a_database_is_copied_before_its_schema_changes(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    with closing(open_writer(path)) as connection:
        connection.execute("INSERT INTO runs VALUES ('a run', 'boot', 1.0, 2.0, '1', NULL)")
    with closing(open_writer(path, (*MIGRATIONS, ("ALTER TABLE runs ADD COLUMN note TEXT",)))) as connection:
        assert version_of(connection) == len(MIGRATIONS) + 1
        assert connection.execute("SELECT run_id, note FROM runs").fetchall() == [("a run", None)]
    with closing(sqlite3.connect(tmp_path / f"events.schema-{len(MIGRATIONS)}.db")) as copy:
        assert version_of(copy) == len(MIGRATIONS)
        assert copy.execute("SELECT * FROM runs").fetchall() == [("a run", "boot", 1.0, 2.0, "1", None)]


def test_nothing_is_done_twice(connection: sqlite3.Connection) -> None:
    migrate(connection)
    migrate(connection)
    assert version_of(connection) == len(MIGRATIONS)


def test_rows_are_written_in_the_order_of_the_tables_columns(connection: sqlite3.Connection) -> None:
    migrate(connection)
    columns = [row[1] for row in connection.execute("PRAGMA table_info(events)")]
    assert columns == [*COLUMNS, "snapshot_bytes"]


def test_an_event_whose_commit_only_seemed_to_fail_is_not_written_twice(connection: sqlite3.Connection) -> None:
    migrate(connection)
    record = EventRecord("an id", an_event(1), wall_at=1.0, boot_id="boot", run_id="run", snapshot=None)
    for _ in range(2):
        connection.execute(INSERT, (*record_to_row(record), 0))
    assert connection.execute("SELECT count(*) FROM events").fetchone() == (1,)


def test_the_file_says_whose_it_is(connection: sqlite3.Connection) -> None:
    migrate(connection)
    assert connection.execute("PRAGMA application_id").fetchone()[0].to_bytes(4, "big") == b"edgd"


def test_all_events_of_a_log_from_before_cameras_had_events_are_kept_and_it_takes_those_of_cameras(
    make_store: MakeStore, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    write_schema_1(folder, *range(100))
    store = make_store()
    store.open()
    store.put(a_camera_event(), None)
    store.step()

    *old, new = logged(folder)
    assert [record.event for record in old] == [an_event(number) for number in range(100)]
    assert {(record.boot_id, record.wall_at) for record in old} == {("boot-0", 1e9)}
    assert [record.snapshot is not None for record in old] == [number % 7 == 0 for number in range(100)]
    assert (new.event, new.boot_id, new.snapshot) == (a_camera_event(), "boot-1", None)
    with closing(sqlite3.connect(folder / "events.schema-1.db")) as copy:
        assert copy.execute("SELECT count(*) FROM events").fetchone() == (100,)
    with closing(sqlite3.connect(folder / "events.db")) as connection:
        indexes = connection.execute("SELECT count(*) FROM sqlite_master WHERE type = 'index' AND name LIKE 'events%'")
        assert indexes.fetchone() == (2,)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def test_an_event_of_an_object_with_a_part_missing_is_refused(connection: sqlite3.Connection) -> None:
    migrate(connection)
    run = EventRecord("an id", an_event(1), wall_at=1.0, boot_id="boot", run_id="run", snapshot=None)
    row = record_to_row(run)
    for column in ("confidence", "track_id", "left_px", "top_px", "width_px", "height_px", "entry_x", "entry_y"):
        values = [None if name == column else value for name, value in zip(COLUMNS, row, strict=True)]
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute(INSERT, (*values, 0))


def test_of_the_copies_made_before_changes_the_two_newest_are_kept(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    write_schema_1(folder, 1)
    for number, name in enumerate(("events.schema-0.db", "events.schema-00.db")):
        (folder / name).write_bytes(b"an older copy")
        os.utime(folder / name, (number, number))

    with closing(open_writer(folder / "events.db")):
        pass

    assert sorted(path.name for path in folder.glob("*.schema-*")) == ["events.schema-00.db", "events.schema-1.db"]


def test_a_change_that_there_is_no_room_for_is_not_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "data"
    write_schema_1(folder, 1)
    before = (folder / "events.db").read_bytes()
    nothing_free = shutil.disk_usage(folder)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: nothing_free)

    with pytest.raises(StoreFull, match="is to be brought up to date, which takes 0 MB, and 0 MB are free"):
        open_writer(folder / "events.db")

    assert (folder / "events.db").read_bytes() == before
    assert list(folder.glob("*.schema-*")) == []


def test_a_file_that_cannot_be_copied_first_is_let_go_of(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    write_schema_1(folder, 1)
    (folder / "events.schema-1.tmp").mkdir()  # as good as a disk that takes no copy
    with pytest.raises(OSError, match="Is a directory") as caught:
        open_writer(folder / "events.db")
    assert folder / "events.db" not in [file.resolve() for file in Path("/proc/self/fd").iterdir()]
    assert caught.value.__traceback__ is not None  # whoever keeps the error keeps no connection
