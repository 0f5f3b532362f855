from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edged.domain.scheduling import Decision
from edged.domain.tracks import TrackState
from edged.errors import OutputNotWritable
from edged.pipeline.trace import SpareTrace, TraceWriter
from tests.pipeline.parts import a_frame
from tests.tracks import tracks_of


def test_each_confirmed_track_is_a_line_and_frames_count_from_one(tmp_path: Path) -> None:
    tracks = tracks_of(0.0, {4: (10, 20, 40, 80), 9: (1.5, 2, 3, 4)}, confidence=0.5)
    with closing(TraceWriter(tmp_path / "t.txt", class_ids=[0])) as trace:
        trace(a_frame(0), tracks, Decision.DETECT)
        trace(a_frame(6), tracks[:1], Decision.PREDICT)
    assert (tmp_path / "t.txt").read_text().splitlines() == [
        "1,4,10.00,20.00,30.00,60.00,0.5000,-1,-1,-1",
        "1,9,1.50,2.00,1.50,2.00,0.5000,-1,-1,-1",
        "7,4,10.00,20.00,30.00,60.00,0.5000,-1,-1,-1",
    ]


def test_lost_and_tentative_tracks_and_other_labels_are_left_out(tmp_path: Path) -> None:
    tracks = tracks_of(0.0, {1: (0, 0, 1, 1), 2: (0, 0, 1, 1), 3: (0, 0, 1, 1), 4: (0, 0, 1, 1)})
    state = np.array([TrackState.LOST, TrackState.TENTATIVE, TrackState.CONFIRMED, TrackState.CONFIRMED], np.int8)
    tracks = replace(tracks, state=state, class_id=np.array([0, 0, 1, 0], np.int32))
    with closing(TraceWriter(tmp_path / "t.txt", class_ids=[0])) as trace:
        trace(a_frame(0), tracks, Decision.DETECT)
    assert (tmp_path / "t.txt").read_text().startswith("1,4,")


def test_frames_of_a_camera_that_was_opened_again_count_on(tmp_path: Path) -> None:
    with closing(TraceWriter(tmp_path / "t.txt", class_ids=[0])) as trace:
        for seq in (0, 1, 5, 0, 1, 0, 3):
            trace(a_frame(seq), tracks_of(0.0, {1: (0, 0, 1, 1)}), Decision.DETECT)
    numbers = [int(line.split(",")[0]) for line in (tmp_path / "t.txt").read_text().splitlines()]
    assert numbers == [1, 2, 6, 7, 8, 9, 12]


def test_the_trace_of_another_run_stays_until_the_first_frame_comes(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    with closing(TraceWriter(path, class_ids=[0])) as trace:
        trace(a_frame(0), tracks_of(0.0, {1: (-2, 0, 1, 1)}), Decision.DETECT)
    of_another_run = path.read_text()
    with closing(TraceWriter(path, class_ids=[0])) as trace:
        assert path.read_text() == of_another_run
        trace(a_frame(0), tracks_of(0.0, {}), Decision.DETECT)
    assert path.read_text() == ""


@pytest.mark.parametrize(
    "content",
    [
        b"\0\0\0\x1cftypisom",  # the recording itself
        b"[[camera]]\n",
        b"1,1,499.00,158.00,31.03,75.17,1,-8.7,-11.2,0\n",  # ground truth
    ],
)
def test_a_file_that_is_no_trace_is_told_by_name_and_kept(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "yard.mp4"
    path.write_bytes(content)
    with pytest.raises(OutputNotWritable, match=r"yard\.mp4 is no trace"):
        TraceWriter(path, class_ids=[0])
    assert path.read_bytes() == content


def test_a_frame_that_comes_after_the_end_changes_nothing(tmp_path: Path) -> None:
    trace = TraceWriter(tmp_path / "t.txt", class_ids=[0])
    for seq in range(3):
        trace(a_frame(seq), tracks_of(0.0, {1: (0, 0, 1, 1)}), Decision.DETECT)
        trace.close()
    assert len((tmp_path / "t.txt").read_text().splitlines()) == 1


def test_a_file_that_cannot_be_made_is_told_by_name(tmp_path: Path) -> None:
    with pytest.raises(OutputNotWritable, match=r"nowhere/t\.txt"):
        TraceWriter(tmp_path / "nowhere" / "t.txt", class_ids=[0])


def test_a_full_disk_is_told_by_name() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    trace = TraceWriter(full, class_ids=[0])
    trace(a_frame(0), tracks_of(0.0, {1: (0, 0, 1, 1)}), Decision.DETECT)
    with pytest.raises(OutputNotWritable, match="/dev/full cannot be written: No space left"):
        trace.close()


def test_a_daemon_goes_on_without_its_trace_on_a_full_disk_and_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    trace = SpareTrace(full, class_ids=[0])
    for seq in range(1000):
        trace(a_frame(seq), tracks_of(0.0, {1: (0, 0, 1, 1)}), Decision.DETECT)
    trace.close()
    assert trace.error is not None
    assert "No space left" in trace.error.message
    assert caplog.text.count("the trace is not complete") == 1


def test_a_trace_that_was_written_whole_has_no_error(tmp_path: Path) -> None:
    trace = SpareTrace(tmp_path / "t.txt", class_ids=[0])
    trace(a_frame(0), tracks_of(0.0, {1: (0, 0, 1, 1)}), Decision.DETECT)
    trace.close()
    assert trace.error is None
    assert (tmp_path / "t.txt").read_text().startswith("1,1,")


def test_a_path_that_can_never_be_a_trace_is_refused_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"a recording")
    for name in ("nowhere/t.txt", "clip.mp4"):
        with pytest.raises(OutputNotWritable, match=name):
            SpareTrace(tmp_path / name, class_ids=[0])
