from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edged.tracking.glimpses import NO_GLIMPSES, Glimpses
from tests.unit.tracking.scenes import Box

HERE: Box = (100.0, 100.0, 140.0, 200.0)
A_STEP_AWAY: Box = (115.0, 100.0, 155.0, 200.0)  # overlaps HERE by 0.45
THERE: Box = (500.0, 100.0, 540.0, 200.0)
LOOK_S = 0.2


def after(glimpses: Glimpses, at: float, *boxes: Box, group: int = 0) -> Glimpses:
    edges = np.array(boxes, np.float32).reshape(-1, 4).T
    return glimpses.followed_by(edges, np.full(len(boxes), group), at)


def since(*looks: list[Box]) -> list[float]:
    """Since when those of the last look have been glimpsed, where one look after the other shows these boxes."""
    glimpses = NO_GLIMPSES
    for number, boxes in enumerate(looks):
        glimpses = after(glimpses, number * LOOK_S, *boxes)
    return [float(at) for at in glimpses.since[: len(looks[-1])]]


def test_a_first_glimpse_counts_from_now() -> None:
    assert since([], [HERE]) == [LOOK_S]


def test_who_is_glimpsed_again_and_again_counts_from_the_first_time() -> None:
    assert since([HERE], [A_STEP_AWAY], [HERE]) == [0.0]


def test_each_goes_back_to_its_own_first_glimpse_whatever_the_order() -> None:
    assert since([HERE], [THERE, HERE], [HERE, THERE]) == [0.0, LOOK_S]


def test_one_glimpse_is_followed_by_one_alone() -> None:
    assert sorted(since([HERE], [HERE, A_STEP_AWAY])) == [0.0, LOOK_S]


def test_one_look_that_shows_nobody_is_bridged_and_two_are_not() -> None:
    assert since([HERE], [], [HERE]) == [0.0]
    assert since([HERE], [], [], [HERE]) == [3 * LOOK_S]
    assert since([HERE], [], [HERE], [], [HERE]) == [0.0]


def test_nothing_is_known_of_a_time_without_looks() -> None:
    glimpses = after(NO_GLIMPSES, 0.0, HERE)
    assert after(glimpses, 0.6, HERE).since[0] == 0.0
    assert after(glimpses, 0.7, HERE).since[0] == 0.7


def test_a_glimpse_of_another_kind_is_another_object() -> None:
    person = after(NO_GLIMPSES, 0.0, HERE, group=0)
    assert after(person, LOOK_S, HERE, group=1).since[0] == LOOK_S


def test_who_has_come_far_enough_since_the_first_glimpse_has_moved() -> None:
    glimpses = NO_GLIMPSES
    for number, left in enumerate((100, 115, 130, 145)):  # of 40 wide and 100 high: 0.19 of the sides a look
        glimpses = after(glimpses, number * LOOK_S, (left, 100, left + 40, 200), THERE)
        assert glimpses.moved(2).tolist() == [left >= 145, False]


def test_nobody_has_moved_who_was_not_glimpsed_before() -> None:
    assert not after(NO_GLIMPSES, 0.0, HERE).moved(1).any()
    assert not after(after(NO_GLIMPSES, 0.0, HERE), LOOK_S, THERE).moved(1).any(), "that was somebody else"
    assert after(NO_GLIMPSES, 0.0).moved(0).tolist() == []


def test_what_flickers_for_long_counts_for_a_second() -> None:
    assert since(*[[HERE]] * 20) == pytest.approx([19 * LOOK_S - 1.0])


boxes = st.tuples(st.integers(0, 300), st.integers(0, 300), st.integers(1, 200), st.integers(1, 200)).map(
    lambda t: (float(t[0]), float(t[1]), float(t[0] + t[2]), float(t[1] + t[3]))
)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.lists(boxes, max_size=5), st.integers(0, 1), st.floats(0, 0.5)), max_size=15))
def test_a_glimpse_counts_from_a_look_of_the_last_second_and_is_forgotten_soon(
    looks: list[tuple[list[Box], int, float]],
) -> None:
    glimpses, at, before = NO_GLIMPSES, 0.0, list[int]()
    for seen, group, gap_s in looks:
        at += gap_s
        glimpses = after(glimpses, at, *seen, group=group)
        before.append(len(seen))
        assert glimpses.edges[:, : len(seen)].T.tolist() == [list(map(float, box)) for box in seen]
        assert (glimpses.since[: len(seen)] >= at - 1.0).all()
        assert (glimpses.since <= at).all()
        assert len(glimpses) <= sum(before[-2:])
