from __future__ import annotations

from pathlib import Path

import pytest

from edged.app.truth import TrueRun, TruthWatch, read_truth
from edged.domain.scheduling import Decision
from edged.domain.tracks import Tracks
from edged.rules.presence import Presence
from tests.pipeline.parts import a_frame
from tests.tracks import tracks_of


def somebody(left: float) -> Tracks:
    """One confirmed track of 20 × 20 pixels."""
    return tracks_of(0.0, {7: (left, 0.0, left + 20.0, 20.0)})


def test_a_damaged_frame_of_the_recording_does_not_shift_the_truth(tmp_path: Path) -> None:
    truth = tmp_path / "gt.txt"
    truth.write_text("1,1,0,0,20,20,1\n2,1,100,0,20,20,1\n3,1,200,0,20,20,1\n")
    watch = TruthWatch(read_truth(truth), "person", ["person"])
    watch(a_frame(0), somebody(0), Decision.DETECT)
    watch(a_frame(2), somebody(200), Decision.DETECT)  # frame 2 could not be decoded
    assert watch.score().mota == pytest.approx(100 * 2 / 3)


def test_a_faultless_run_tells_of_each_object_once_and_of_who_comes_back_late_again(tmp_path: Path) -> None:
    """At ten frames a second the first is in view all the time, the second is gone for 4.5 seconds in between."""
    truth = tmp_path / "gt.txt"
    rows = [(number, 4, 0) for number in range(1, 106)]
    rows += [(number, 9, 100 + number) for number in range(1, 106) if not 30 < number <= 75]
    truth.write_text("".join(f"{number},{name},{left},0,20,20,1\n" for number, name, left in sorted(rows)))
    true = TrueRun(read_truth(truth), Presence("truth", ["person"]), lost_after_s=1.0)
    for seq in range(105):
        true.show(a_frame(seq))
    run = true.finish()
    assert [event.xyxy[0] for event in run.appeared] == [0, 111, 186]
    assert len(run.boxes) == len(run.at) == run.looks == 105
    assert [len(boxes) for boxes in (run.boxes[0], run.boxes[40], run.boxes[90])] == [2, 1, 2]
