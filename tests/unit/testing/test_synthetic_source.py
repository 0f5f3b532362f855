from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.domain.frame import Frame
from edged.errors import SourceBusy, SourceError, SourceLost, SourceNotFound
from edged.ports import EndOfStream
from edged.testing.clock import FakeClock
from edged.testing.source import SyntheticObject, SyntheticSource


def read(source: SyntheticSource) -> Frame:
    frame = source.read(1.0)
    assert frame is not None
    return frame


def test_the_truth_is_where_the_objects_were_drawn() -> None:
    thing = SyntheticObject(7, (20, 40), (10.0, 30.0), (3.0, 0.0), class_id=2)
    source = SyntheticSource(clock=FakeClock(), objects=[thing])
    empty = SyntheticSource(clock=FakeClock(), objects=0)
    source.open()
    empty.open()
    for _ in range(20):
        frame, background = read(source), read(empty)
        rows, columns = np.nonzero((frame.image() != background.image()).any(axis=2))
        drawn = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        truth = source.ground_truth(frame.seq)
        assert truth.xyxy.tolist() == [drawn]
        assert truth.class_id.tolist() == [2]
        assert truth.confidence.tolist() == [1.0]
        assert source.ground_truth_ids(frame.seq).tolist() == [7]


def test_a_cast_appears_leaves_and_walks_out_of_the_picture() -> None:
    cast = [
        SyntheticObject(1, (20, 20), (0, 0), first_seq=3, last_seq=5),
        SyntheticObject(2, (20, 20), (290, 100), (10.0, 0.0), bounces=False),
    ]
    source = SyntheticSource(clock=FakeClock(), objects=cast, width_px=320)
    assert [source.ground_truth_ids(seq).tolist() for seq in range(7)] == [[2], [2], [2], [1], [1], [1], []]
    assert source.ground_truth(2).xyxy.tolist() == [[310, 100, 320, 120]]
    source.open()
    for _ in range(7):
        assert read(source).image().shape == (240, 320, 3)


@given(st.integers(1, 200), st.integers(1, 200), st.integers(0, 5), st.integers(0, 10_000), st.integers(0, 9))
def test_invented_objects_never_leave_the_picture(
    width_px: int, height_px: int, count: int, seq: int, seed: int
) -> None:
    source = SyntheticSource(clock=FakeClock(), width_px=width_px, height_px=height_px, objects=count, seed=seed)
    truth = source.ground_truth(seq)
    assert len(truth) == count
    assert (truth.xyxy[:, :2] >= 0).all()
    assert (truth.xyxy[:, 2:] <= [width_px, height_px]).all()
    assert source.ground_truth_ids(seq).tolist() == list(range(1, count + 1))


def test_the_seed_decides_the_pixels_noise_included() -> None:
    images = []
    for seed in (1, 1, 2):
        source = SyntheticSource(clock=FakeClock(), noise_sigma=5.0, seed=seed)
        source.open()
        images.append(read(source).image())
    assert np.array_equal(images[0], images[1])
    assert not np.array_equal(images[0], images[2])


def test_a_stall_lasts_until_the_source_is_reopened() -> None:
    clock = FakeClock()
    source = SyntheticSource(clock=clock, frames=3, stall_at=1)
    source.open()
    read(source)
    before = clock.monotonic()
    assert [source.read(2.0), source.read(2.0)] == [None, None]
    assert clock.monotonic() == before + 4.0
    source.close()
    source.open()
    assert [read(source).seq for _ in range(3)] == [0, 1, 2]


@pytest.mark.parametrize("error", [None, SourceBusy("somebody took it", hint="Ask.")])
def test_a_failure_happens_once(error: SourceError | None) -> None:
    source = SyntheticSource(clock=FakeClock(), frames=3, fail_at=2, fail_with=error)
    source.open()
    read(source)
    read(source)
    with pytest.raises(type(error) if error else SourceLost):
        source.read(1.0)
    source.open()
    assert [read(source).seq for _ in range(3)] == [0, 1, 2]


def test_corrupt_frames_are_counted_and_passed_over() -> None:
    source = SyntheticSource(clock=FakeClock(), frames=5, corrupt={0, 3, 4})
    source.open()
    assert [read(source).seq for _ in range(2)] == [1, 2]
    with pytest.raises(EndOfStream):
        source.read(1.0)
    assert (source.stats.frames, source.stats.corrupt) == (2, 3)


def test_a_camera_that_is_unplugged_for_a_while_comes_back() -> None:
    source = SyntheticSource(clock=FakeClock(), failing_opens=2)
    for _ in range(2):
        with pytest.raises(SourceNotFound):
            source.open()
    source.open()
    assert read(source).seq == 0


def test_a_camera_never_ends() -> None:
    source = SyntheticSource(clock=FakeClock(), frames=None, width_px=8, height_px=8)
    source.open()
    assert source.frame_count() is None
    assert [read(source).seq for _ in range(1000)][-1] == 999


def test_in_real_time_a_fault_is_not_skipped_over() -> None:
    clock = FakeClock()
    source = SyntheticSource(clock=clock, fps=10, in_real_time=True, fail_at=3)
    source.open()
    clock.advance(2.05)
    assert read(source).seq == 2
    with pytest.raises(SourceLost):
        source.read(1.0)
