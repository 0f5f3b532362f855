"""A real process, really killed in the middle of writing."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from edged.clock import SystemClock
from edged.errors import StoreNotFound
from edged.store.events import EventStore
from edged.store.reader import EventLog
from tests.unit.store.conftest import JPEG, logged, number_of

ROUNDS = 12


def seen_by_a_reader(folder: Path, *, after: str) -> tuple[set[int], str]:
    """What `edged events --follow` would have shown since the last look."""
    try:
        records = list(EventLog(folder).read(after=after))
    except StoreNotFound:
        return set(), after
    return set(map(number_of, records)), records[-1].event_id if records else after


@pytest.mark.slow
def test_nothing_that_a_reader_has_seen_is_lost_when_the_writer_is_killed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    dice = random.Random(7)
    acknowledged: set[int] = set()
    last = ""
    for round_number in range(ROUNDS):
        writer = subprocess.Popen(
            [sys.executable, "-m", "tests.unit.store.killed_writer", str(tmp_path), str(round_number * 100_000)],
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[3],
        )
        assert writer.stdout is not None
        writer.stdout.readline()
        for _ in range(dice.randrange(1, 30)):
            new, last = seen_by_a_reader(tmp_path, after=last)
            acknowledged |= new
        writer.kill()
        writer.wait()
        writer.stdout.close()
        new, last = seen_by_a_reader(tmp_path, after=last)
        acknowledged |= new
    assert len(acknowledged) > ROUNDS
    store = EventStore(tmp_path, clock=SystemClock(), version="1")
    store.open()
    assert "did not end cleanly; the event log is sound" in caplog.text
    store.close()
    records = logged(tmp_path)
    numbers = list(map(number_of, records))
    assert acknowledged <= set(numbers)
    assert len(numbers) == len(set(numbers))
    assert all((tmp_path / record.snapshot).stat().st_size == 50 * len(JPEG) for record in records if record.snapshot)
    for round_number in range(ROUNDS):  # what was put first was written first: no gaps
        mine = [number % 100_000 for number in numbers if number // 100_000 == round_number]
        assert mine == list(range(len(mine)))
    with closing(sqlite3.connect(tmp_path / "events.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
