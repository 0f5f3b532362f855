from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from edged.tracking.assignment import level, match, overlap

Edges = tuple[int, int, int, int]

likeness_tables = array_shapes(min_dims=2, max_dims=2, max_side=5).flatmap(
    lambda shape: arrays(np.float32, shape, elements=st.integers(0, 64).map(lambda n: n / 64))
)


def worth(likeness: npt.NDArray[np.float32], least: float) -> float:
    """The best that any matching can reach, by trying all."""
    gain = np.maximum(likeness.astype(float) - least, 0)
    if gain.shape[0] > gain.shape[1]:
        gain = gain.T
    return max(
        float(gain[np.arange(len(columns)), columns].sum())
        for columns in map(list, itertools.permutations(range(gain.shape[1]), gain.shape[0]))
    )


@given(likeness_tables, st.sampled_from([0.125, 0.3, 0.5]))
def test_no_other_matching_is_worth_more(likeness: npt.NDArray[np.float32], least: float) -> None:
    rows, columns = match(likeness, least)
    assert len(set(rows.tolist())) == len(rows)
    assert len(set(columns.tolist())) == len(columns)
    assert (likeness[rows, columns] > least).all()
    assert abs((likeness[rows, columns].astype(float) - least).sum() - worth(likeness, least)) < 1e-6


def test_two_tracks_that_want_the_same_share_for_the_best_sum() -> None:
    rows, columns = match(np.array([[0.9, 0.8], [0.85, 0.1]], np.float32), 0.2)
    assert list(zip(rows.tolist(), columns.tolist(), strict=True)) == [(0, 1), (1, 0)]


def test_nothing_matches_nothing() -> None:
    for shape in ((0, 0), (0, 3), (3, 0)):
        rows, columns = match(np.empty(shape, np.float32), 0.2)
        assert len(rows) == len(columns) == 0


def test_overlap_counts_the_last_pixel() -> None:
    a = np.array([[0, 0, 9, 9]], np.float32).T
    b = np.array([[0, 0, 9, 9], [5, 0, 14, 9], [20, 20, 30, 30], [10, 0, 19, 9]], np.float32).T
    assert np.maximum(overlap(a, b), 0)[0].tolist() == [1.0, np.float32(50 / 150), 0.0, 0.0]


def test_boxes_stand_on_one_level_as_far_as_they_share_their_heights() -> None:
    a = np.array([[0, 100, 40, 200]], np.float32).T
    b = np.array([[500, 100, 510, 200], [0, 120, 40, 200], [0, 150, 40, 250], [0, 200, 40, 300], [0, 900, 9, 999]]).T
    assert level(a, b.astype(np.float32))[0].tolist() == [1.0, np.float32(0.8), np.float32(1 / 3), 0.0, 0.0]


spans = st.tuples(st.integers(-500, 500), st.integers(1, 300)).map(lambda s: (0, s[0], 1, s[0] + s[1]))


@given(st.lists(spans, max_size=4), st.lists(spans, max_size=4))
def test_being_on_one_level_is_mutual_and_full_only_for_equals(a: list[Edges], b: list[Edges]) -> None:
    rows, columns = (np.array(boxes, np.float32).reshape(-1, 4).T for boxes in (a, b))
    shared = level(rows, columns)
    assert shared.shape == (len(a), len(b))
    assert ((shared >= 0) & (shared <= 1)).all()
    assert (shared == level(columns, rows).T).all()
    assert all((shared[i, j] == 1) == (a[i] == b[j]) for i, j in np.ndindex(shared.shape))
