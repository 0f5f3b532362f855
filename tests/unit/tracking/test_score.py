"""edged's own HOTA, MOTA and IDF1 are TrackEval's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edged.domain.boxes import tlwh_to_xyxy
from edged.tracking.score import Score, score
from edged.tracking.truth import Truth, parse_truth
from scripts.benchmarks.scoring import Table, read_table
from scripts.benchmarks.scoring import score as score_with_trackeval

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

SIDE_PX = 40.0


def ours(trace: Table, truth: Table) -> Score:
    judge = Truth(truth)
    last = max(int(trace[:, 0].max(initial=0)), judge.frames)
    shown = [trace[trace[:, 0] == number] for number in range(1, last + 1)]
    return score(
        [
            judge.judge(number, rows[:, 1].astype(np.int64), tlwh_to_xyxy(rows[:, 2:6]))
            for number, rows in enumerate(shown, 1)
        ]
    )


def assert_as_trackeval(trace: Table, truth: Table) -> None:
    mine, theirs = ours(trace, truth), score_with_trackeval({"clip": (trace, truth)})["clip"]
    assert (mine.hota, mine.mota, mine.idf1) == pytest.approx((theirs.hota, theirs.mota, theirs.idf1), abs=1e-9)
    assert mine.switches == theirs.switches


@st.composite
def clips(draw: st.DrawFn) -> tuple[Table, Table]:
    """A few who wander, some of them hidden at times; tracks that miss them, stray, and exchange their names."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    objects, frames = draw(st.integers(1, 5)), draw(st.integers(1, 12))
    seen, exchanged = draw(st.floats(0, 1)), draw(st.floats(0, 0.5))
    at = rng.uniform(0, 120, (objects, 2))
    names = np.arange(objects) + 1
    truth, trace = [], []
    for number in range(1, frames + 1):
        at = at + rng.normal(0, 8, at.shape)
        if rng.random() < exchanged:
            names = rng.permutation(objects + 2)[:objects] + 1
        for one, (left, top) in enumerate(at):
            first = number == 1  # the truth shows somebody: without, TrackEval says 0 to everything
            if first or rng.random() < 0.9:
                truth.append([number, one + 1, left, top, SIDE_PX, SIDE_PX, float(first or rng.random() < 0.9), -1])
            if rng.random() < seen:
                x, y = rng.normal((left, top), 6)
                trace.append([number, names[one], x, y, SIDE_PX, SIDE_PX, 1, -1])
    return np.array(trace, float).reshape(-1, 8), np.array(truth, float).reshape(-1, 8)


@settings(max_examples=200, deadline=None)
@given(clips())
def test_the_numbers_are_trackevals(clip: tuple[Table, Table]) -> None:
    assert_as_trackeval(*clip)


def test_the_numbers_of_a_reference_tracker_are_as_published(shared_dir: Path) -> None:
    folder = shared_dir / "tracking" / "TUD-Campus"
    result = ours(read_table(folder / "reference_tracker.txt"), read_table(folder / "gt" / "gt.txt"))
    assert (round(result.mota, 2), round(result.idf1, 2), result.switches) == (52.65, 55.77, 7)


def test_the_papers_own_tracks_score_as_in_trackeval(shared_dir: Path) -> None:
    folder = shared_dir / "tracking"
    assert_as_trackeval(
        read_table(folder / "mot17-val-official-bytetrack" / "MOT17-09.txt"),
        read_table(folder / "mot17-val" / "MOT17-09" / "gt" / "gt.txt"),
    )


def test_a_box_of_a_distractor_counts_neither_way() -> None:
    truth = np.array([[1, 1, 0.0, 0, 30, 60, 1, 1, 1], [1, 2, 200.0, 0, 30, 60, 1, 12, 1]])
    trace = np.array([[1, 7, 0.0, 0, 30, 60, 1, -1], [1, 8, 201.0, 0, 30, 60, 1, -1]])
    assert ours(trace, truth).mota == pytest.approx(100)


def test_nobody_found_is_nothing_and_nobody_there_is_no_division_by_zero() -> None:
    truth, nobody = np.array([[1, 1, 0.0, 0, 30, 60, 1, -1]]), np.empty((0, 8))
    assert ours(nobody, truth) == Score(hota=0.0, mota=0.0, idf1=0.0, switches=0)
    assert ours(nobody, nobody) == Score(hota=0.0, mota=0.0, idf1=0.0, switches=0)


@pytest.mark.parametrize("text", ["", "\n", "1,2,3\n", "one,two,3,4,5,6,7\n", "1,1,nan,0,30,60,1\n"])
def test_what_is_no_ground_truth_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_truth(text.splitlines())


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("0,1,2,3,4,5,1", "line 4: frame 0: frames are counted from 1"),
        ("-3,1,2,3,4,5,1", "line 4: frame -3"),
        ("1.5,1,2,3,4,5,1", "line 4: frame 1.5"),
        ("1,-1,2,3,4,5,1", "line 4: id -1: .* detector"),
        ("1,0.5,2,3,4,5,1", "line 4: id 0.5"),
        ("1,1,2,3,0,5,1", "line 4: a box of 0 x 5 pixels"),
        ("1,1,2,3,4,-5,1", "line 4: a box of 4 x -5 pixels"),
        ("1,1,inf,3,4,5,1", "line 4: a number that is not finite"),
        ("1234567,8,2,3,4,5,1", "line 4: id 8 is on frame 1234567 twice"),
    ],
)
def test_a_row_that_cannot_be_meant_is_refused_by_its_line(row: str, told: str) -> None:
    lines = ["# frame, id, box", "", "1234567,8,2,3,4,5,1", row, "3,1,2,3,4,5,1"]
    with pytest.raises(ValueError, match=told):
        parse_truth(lines)
