from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.capture.network.arrival import JUMP_S, MIN_STEP_S, WINDOW_S, ArrivalTime


def placed(*frames: tuple[float | None, float]) -> list[float]:
    arrival = ArrivalTime()
    return [arrival.place(stamp, arrived_at) for stamp, arrived_at in frames]


def test_the_first_frame_was_taken_when_it_came() -> None:
    assert placed((7000.0, 50.0)) == [50.0]


def test_frames_that_were_held_up_keep_the_distance_that_their_stamps_tell() -> None:
    times = placed((0.0, 100.0), (0.1, 100.1), (0.2, 100.5), (0.3, 100.5), (0.4, 100.5))
    assert times == pytest.approx([100.0, 100.1, 100.2, 100.3, 100.4])


def test_a_frame_that_comes_faster_than_all_before_sets_the_delay_of_those_after_it() -> None:
    times = placed((0.0, 100.3), (0.1, 100.2), (0.2, 100.6))
    assert times == pytest.approx([100.3, 100.3, 100.3], abs=1e-3)


def test_without_stamps_the_arrival_counts() -> None:
    assert placed((None, 5.0), (None, 5.4), (None, 5.5)) == [5.0, 5.4, 5.5]


def test_one_missing_stamp_does_not_move_the_rest() -> None:
    assert placed((0.0, 10.0), (None, 10.1), (0.2, 10.9)) == pytest.approx([10.0, 10.1, 10.2])


@pytest.mark.parametrize("jump_s", [-95443.7, -2.0, 3.0, 95443.7, 2**32 / 90_000])
def test_stamps_that_jump_or_wrap_begin_again_at_the_arrival(jump_s: float) -> None:
    start = 100_000.0
    times = placed((start, 10.0), (start + 0.1, 10.1), (start + 0.2 + jump_s, 10.2), (start + 0.3 + jump_s, 10.5))
    assert times == pytest.approx([10.0, 10.1, 10.2, 10.3])


def test_a_delay_that_grew_for_good_is_believed_after_a_while() -> None:
    arrival = ArrivalTime()
    arrival.place(0.0, 0.0)
    late = [arrival.place(0.1 * step, 0.1 * step + 1.0) for step in range(1, int(30 * WINDOW_S))]
    assert late[0] == pytest.approx(0.1)
    assert late[-1] == pytest.approx(0.1 * (int(30 * WINDOW_S) - 1) + 1.0)


def test_a_clock_that_runs_slow_is_followed() -> None:
    arrival = ArrivalTime()
    ages = [at - arrival.place(at * 0.9999, at) for at in (0.1 * step for step in range(3000))]
    assert max(ages) <= 2 * WINDOW_S * 1e-4 + 1e-3


_STAMPS = st.none() | st.floats(-1e9, 1e9)


@given(st.lists(st.tuples(_STAMPS, st.floats(0, 10)), min_size=1))
def test_whatever_the_stamps_time_rises_strictly_is_not_in_the_future_and_not_long_ago(
    frames: list[tuple[float | None, float]],
) -> None:
    arrival, now, times = ArrivalTime(), 0.0, [-1.0]
    for stamp, pause_s in frames:
        now += pause_s
        at = arrival.place(stamp, now)
        assert at <= max(now, times[-1] + MIN_STEP_S)
        assert at >= now - JUMP_S - 1e-3
        times.append(at)
    assert all(early < late for early, late in pairwise(times))
