from __future__ import annotations

from pathlib import Path

import pytest

from edged.clock import SystemClock, adjtimex


@pytest.mark.parametrize(("state", "is_synchronised"), [(0, True), (1, True), (4, True), (5, False)])
def test_the_kernel_knows_whether_the_clock_follows_a_server(tmp_path: Path, state: int, is_synchronised: bool) -> None:
    clock = SystemClock(ask_kernel=lambda: state, timesync=tmp_path / "nothing")
    assert clock.synchronised() is is_synchronised


def test_where_it_may_not_be_asked_systemds_own_server_tells_and_else_nobody_knows(tmp_path: Path) -> None:
    clock = SystemClock(ask_kernel=lambda: -1, timesync=tmp_path / "timesync")
    told = [clock.synchronised()]
    (tmp_path / "timesync").mkdir()
    told.append(clock.synchronised())
    (tmp_path / "timesync/synchronized").touch()
    told.append(clock.synchronised())
    assert told == [None, False, True]


def test_the_real_kernel_answers_with_one_of_its_states_or_refuses() -> None:
    assert adjtimex() in (-1, 0, 1, 2, 3, 4, 5)
