from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.unit.capture.clips import make_clip
from tests.unit.cli.conftest import Edged


def test_a_still_recording_is_looked_at_seldom_and_the_report_says_so(edged: Edged, tmp_path: Path) -> None:
    clip, report, traces = tmp_path / "still.avi", tmp_path / "report", tmp_path / "traces"
    make_clip(clip, frames=40, picture=lambda seq, width_px, height_px: np.full((height_px, width_px, 3), 90, np.uint8))
    done = edged("replay", clip, "--policy", "adaptive", "--policy", "stride:4", "--report", report, "--traces", traces)

    assert done.code == 0, done.err
    rows = {row["policy"]: row for row in json.loads((report / "report.json").read_text())}
    assert (rows["every frame"]["runs"], rows["stride:4"]["runs"]) == (40, 10)
    assert rows["adaptive"]["runs"] <= 2
    assert rows["adaptive"]["runs_saved"] == pytest.approx(1 - rows["adaptive"]["runs"] / 40)
    assert "circle" in (report / "plot.svg").read_text()
    assert {path.name for path in traces.iterdir()} == {"every-frame.txt", "adaptive.txt", "stride-4.txt"}


@pytest.mark.parametrize(
    "policy",
    ["adaptiv", "adaptive:", "adaptive:0", "adaptive:two", "stride", "stride:", "stride:0", "stride:-1", "stride:two"],
)
def test_a_policy_that_there_is_not_is_refused(edged: Edged, tmp_path: Path, policy: str) -> None:
    clip = tmp_path / "clip.avi"
    make_clip(clip, frames=3)
    done = edged("replay", clip, "--policy", policy)
    assert done.code == 2
    assert done.err


def test_the_adaptive_policy_can_be_held_to_one_frame_of_so_many(edged: Edged, tmp_path: Path) -> None:
    clip, report = tmp_path / "moving.avi", tmp_path / "report"
    make_clip(clip, frames=10)
    done = edged("replay", clip, "--policy", "adaptive:10", "--report", report)
    assert done.code == 0, done.err
    assert [row["runs"] for row in json.loads((report / "report.json").read_text())] == [10, 1]


def test_a_report_that_cannot_be_written_is_told_before_the_recording_is_played(edged: Edged, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.avi", frames=3)
    done = edged("replay", clip, "--report", clip)
    assert (done.code, done.out) == (7, "")
    assert "clip.avi cannot be written" in done.err


def test_no_number_is_cut_off_in_a_narrow_terminal(
    edged: Edged, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    clip, truth = make_clip(tmp_path / "clip.avi", frames=3), tmp_path / "gt.txt"
    truth.write_text("1,1,10,10,50,50,1\n")
    done = edged("replay", clip, "--policy", "stride:3", "--truth", truth)
    assert done.code == 0, done.err
    assert "…" not in done.out
    assert "66.7%" in done.out


def test_a_camera_is_no_recording(edged: Edged) -> None:
    done = edged("replay", "/dev/video0")
    assert done.code == 2
    assert "recording" in done.err


def test_tracks_are_scored_where_the_truth_is_given(edged: Edged, tmp_path: Path) -> None:
    clip, truth, report = tmp_path / "clip.avi", tmp_path / "gt.txt", tmp_path / "report"
    make_clip(clip, frames=3)
    truth.write_text("1,1,10,10,20,20,1,-1,-1,-1\n")
    done = edged("replay", clip, "--policy", "stride:2", "--truth", truth, "--report", report)

    assert done.code == 0, done.err
    assert "HOTA" in done.out
    assert "against the truth" in done.out
    assert "Energy: " in done.out
    rows = json.loads((report / "report.json").read_text())
    assert {"hota", "mota", "idf1", "true_missed", "true_late_p95_s", "energy_j", "energy_source"} <= rows[0].keys()
    assert "HOTA" in (report / "hota.svg").read_text()


def test_without_a_truth_no_score_is_shown(edged: Edged, tmp_path: Path) -> None:
    clip = tmp_path / "clip.avi"
    make_clip(clip, frames=3)
    done = edged("replay", clip, "--policy", "stride:2")
    assert "HOTA" not in done.out
    assert "truth" not in done.out
