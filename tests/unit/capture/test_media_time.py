from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.capture.media_time import MAX_GAP_S, MediaTime


def times(*stamps: float | None, step_s: float = 0.1) -> list[float]:
    media_time = MediaTime(step_s=step_s)
    return [media_time.after_first_s(stamp) for stamp in stamps]


def test_good_stamps_are_kept_from_the_first_on() -> None:
    assert times(7.0, 7.1, 7.5) == pytest.approx([0.0, 0.1, 0.5])


def test_a_missing_stamp_is_one_nominal_step_on() -> None:
    assert times(None, None, 0.2, None, 0.4) == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4])


def test_one_wild_stamp_does_not_move_the_rest() -> None:
    assert times(0.0, 0.1, 95443.7, 0.3, 0.4) == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4])


def test_a_new_time_line_goes_on_where_the_old_one_ended() -> None:
    assert times(0.0, 5.0, 0.0, 0.5, 1.0) == pytest.approx([0.0, 5.0, 5.1, 5.6, 6.1])


def test_disordered_stamps_do_not_push_the_time_line_away() -> None:
    assert times(0.0, 0.2, 0.1, 0.3, 0.4, 0.6)[-1] == pytest.approx(0.6)


def test_a_pause_is_a_pause() -> None:
    assert times(0.0, 120.0) == [0.0, 120.0]


@given(st.lists(st.none() | st.floats(-1e9, 1e9), min_size=1), st.floats(0.001, 10))
def test_whatever_the_stamps_time_rises_strictly_and_never_leaps(stamps: list[float | None], step_s: float) -> None:
    at = times(*stamps, step_s=step_s)
    assert at[0] == 0.0
    assert all(0 < late - early <= MAX_GAP_S + step_s for early, late in itertools.pairwise(at))
