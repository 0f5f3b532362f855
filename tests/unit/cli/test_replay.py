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


@pytest.mark.parametrize("policy", ["adaptiv", "stride", "stride:", "stride:0", "stride:-1", "stride:two"])
def test_a_policy_that_there_is_not_is_refused(edged: Edged, tmp_path: Path, policy: str) -> None:
    clip = tmp_path / "clip.avi"
    make_clip(clip, frames=3)
    done = edged("replay", clip, "--policy", policy)
    assert done.code == 2
    assert done.err


def test_a_camera_is_no_recording(edged: Edged) -> None:
    done = edged("replay", "/dev/video0")
    assert done.code == 2
    assert "recording" in done.err
