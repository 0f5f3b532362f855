from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edged.scheduling.turns import Turns

NEEDS = st.floats(1, 1e6, allow_nan=False) | st.just(float("inf"))


@st.composite
def rounds(draw: st.DrawFn) -> list[list[float]]:
    """The needs of N cameras, turn for turn."""
    cameras = draw(st.integers(1, 6))
    row = st.lists(NEEDS, min_size=cameras, max_size=cameras)
    return draw(st.lists(row, min_size=1, max_size=60))


@given(rounds())
def test_whoever_wants_the_detector_all_the_time_has_it_once_in_three_n_turns(needs: list[list[float]]) -> None:
    turns, count = Turns[int](), len(needs[0])
    chosen = [turns.choose(dict(enumerate(row))) for row in needs]
    for first in range(len(chosen) - 3 * count + 1):
        assert set(chosen[first : first + 3 * count]) == set(range(count))


@given(st.dictionaries(st.text(min_size=1), NEEDS, min_size=1))
def test_the_first_turn_is_that_of_the_greatest_need(needs: dict[str, float]) -> None:
    assert needs[Turns[str]().choose(needs)] == max(needs.values())


def test_equal_needs_take_turns() -> None:
    turns = Turns[str]()
    assert [turns.choose({"a": 1.0, "b": 1.0, "c": 1.0}) for _ in range(6)] == list("abcabc")


def test_a_camera_that_is_lost_leaves_the_others_all_turns_and_no_memory() -> None:
    turns = Turns[str]()
    turns.choose({"here": 1.0, "lost": 0.5})
    assert [turns.choose({"here": 1.0}) for _ in range(10)] == ["here"] * 10
    assert not turns._passed_over
