"""The scorer agrees with figures published for the same files."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from scripts.benchmarks.scoring import Table, find_pairs, read_table, read_tracks, score

ROOT = Path(__file__).parents[3]

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def test_a_trace_of_the_truth_itself_is_perfect() -> None:
    truth = np.array([[f, i, 100.0 * i, 50, 30, 60, 1, -1] for f in (1, 2, 3) for i in (1, 2)])
    result = score({"clip": (truth, truth)})["all"]
    assert (result.hota, result.mota, result.idf1, result.switches) == pytest.approx((100, 100, 100, 0))


def test_what_is_found_of_a_distractor_does_not_count_against_the_tracker() -> None:
    walker, reflection = [1, 1, 0.0, 0, 30, 60, 1, 1], [1, 2, 200.0, 0, 30, 60, 1, 12]
    truth = np.array([walker, reflection])
    trace = np.array([[1, 7, 0.0, 0, 30, 60, 1, -1], [1, 8, 201.0, 0, 30, 60, 1, -1]])
    assert score({"clip": (trace, truth)})["all"].mota == pytest.approx(100)


def test_an_empty_trace_scores_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").touch()
    truth = np.array([[1, 1, 0.0, 0, 30, 60, 1, -1]])
    assert score({"clip": (read_table(tmp_path / "empty.txt"), truth)})["all"].mota == 0


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"nothing of the kind\n", b"1,1,10,10\n"])
@pytest.mark.parametrize("read", [read_table, read_tracks])
def test_what_is_no_trace_is_told_by_its_name(read: Callable[[Path], Table], tmp_path: Path, content: bytes) -> None:
    (tmp_path / "yard.mp4").write_bytes(content)
    with pytest.raises(ValueError, match=r"yard\.mp4"):
        read(tmp_path / "yard.mp4")


@pytest.mark.parametrize(
    ("row", "told"), [("1,7,50,0,30,60,1", "id 7 is on frame 1 twice"), ("1,8,nan,0,30,60,1", "is not finite")]
)
def test_scoring_a_trace_that_no_score_can_be_given_to_names_the_line(tmp_path: Path, row: str, told: str) -> None:
    truth, trace = tmp_path / "gt.txt", tmp_path / "trace.txt"
    truth.write_text("1,1,0,0,30,60,1\n")
    trace.write_text(f"1,7,0,0,30,60,1\n\n{row}\n")
    command: list[str | Path] = [sys.executable, "scripts/benchmarks/scoring.py", trace, truth]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": "."})
    assert (ended.returncode, ended.stdout) == (2, "")
    assert re.search(rf"trace\.txt: line 3: .*{told}", ended.stderr)


def test_a_reference_tracker_scores_as_published(shared_dir: Path) -> None:
    folder = shared_dir / "tracking" / "TUD-Campus"
    ((trace, truth),) = find_pairs(folder / "reference_tracker.txt", folder).values()
    result = score({"TUD-Campus": (read_table(trace), read_table(truth))})["all"]
    assert (round(result.mota, 2), round(result.idf1, 2), result.switches) == (52.65, 55.77, 7)


@pytest.mark.slow
def test_the_papers_own_code_scores_as_measured_elsewhere(shared_dir: Path) -> None:
    folder = shared_dir / "tracking"
    pairs = find_pairs(folder / "mot17-val-official-bytetrack", folder / "mot17-val")
    result = score({name: (read_table(a), read_table(b)) for name, (a, b) in pairs.items()})["all"]
    assert round(result.hota, 1) == 71.1
