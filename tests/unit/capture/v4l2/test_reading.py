from __future__ import annotations

import numpy as np
import pytest

from edged.errors import SourceBroken
from edged.testing.v4l2_camera import FakeCamera, FakeFormat
from tests.unit.capture.v4l2.rig import Rig, opened


def test_the_newest_frame_wins_and_the_others_are_counted() -> None:
    rig = opened()
    assert rig.play(1) == [0]
    rig.clock.advance(3 / 30)
    assert rig.play(2) == [3, 4]
    assert rig.stats == (3, 2, 0, 0)


def test_skipped_frames_go_back_to_the_driver() -> None:
    rig = opened()
    rig.play(1)
    for _ in range(20):
        rig.clock.advance(3 / 30)
        rig.play(1)
    assert rig.stats == (21, 40, 0, 0)


def test_frames_for_which_the_driver_had_no_buffer_are_lost_and_numbered() -> None:
    rig = opened()
    rig.play(1)
    rig.clock.advance(20 / 30)
    assert rig.play(2) == [5, 21]
    assert rig.stats == (3, 4, 0, 15)


def test_frames_that_never_came_are_lost_and_numbered() -> None:
    rig = opened()
    rig.play(2)
    rig.queue.lose = 3
    assert rig.play(2) == [5, 6]
    assert rig.stats == (4, 0, 0, 3)


def test_a_camera_that_counts_from_elsewhere_starts_at_zero() -> None:
    rig = Rig()
    rig.queue.first_sequence = 0xFFFF_FFFE
    rig.source.open()
    assert rig.play(4) == [0, 1, 2, 3]
    assert rig.stats == (4, 0, 0, 0)


def test_a_driver_that_numbers_nothing_is_numbered() -> None:
    rig = Rig()
    rig.queue.numbers_frames = False
    rig.source.open()
    assert rig.play(3) == [0, 1, 2]


def test_a_frame_was_captured_when_the_driver_says() -> None:
    rig = opened()
    started_at = rig.clock.monotonic()
    rig.play(1)
    rig.clock.advance(0.05)  # frame 1 was taken 0.017 s ago
    assert rig.read().captured_at == pytest.approx(started_at + 2 / 30, abs=1e-6)


def test_a_stamp_in_the_future_becomes_now() -> None:
    rig = Rig()
    rig.queue.stamp_ahead_s = 0.02
    rig.source.open()
    for _ in range(3):
        frame = rig.read()
        assert frame.captured_at == rig.clock.monotonic()
        frame.release()


def test_a_stamp_of_another_clock_becomes_now() -> None:
    rig = Rig()
    rig.queue.stamp_flags = 0
    rig.queue.stamp_ahead_s = -0.01
    rig.source.open()
    assert rig.read().captured_at == rig.clock.monotonic()


@pytest.mark.parametrize("fault", ["damage", "empty"])
def test_a_damaged_frame_is_counted_and_passed_over(fault: str) -> None:
    rig = opened()
    rig.play(1)
    setattr(rig.queue, fault, 7)  # more than there are buffers: they went back to the driver
    assert rig.play(2) == [8, 9]
    assert rig.stats == (3, 0, 7, 0)


def test_a_damaged_frame_does_not_displace_an_older_whole_one() -> None:
    rig = opened()
    rig.play(1)
    rig.clock.advance(1 / 30)
    rig.queue.advance(rig.clock.monotonic())  # the driver has filled a buffer with a whole frame by now
    rig.queue.damage = 1
    rig.clock.advance(1 / 30)
    assert rig.play(1) == [1]
    assert rig.stats == (2, 0, 1, 0)


def test_nothing_but_damaged_frames_is_a_fault() -> None:
    rig = opened()
    rig.queue.damage = 999
    with pytest.raises(SourceBroken, match="30 damaged frames"):
        rig.source.read(60.0)
    assert rig.stats == (0, 0, 30, 0)


def test_damaged_frames_now_and_then_do_not_add_up_to_a_fault() -> None:
    rig = opened()
    for _ in range(40):
        rig.queue.damage = 1
        rig.play(1)
    assert rig.stats == (40, 0, 40, 0)


def test_a_read_ends_at_its_deadline_though_damaged_frames_keep_coming() -> None:
    rig = opened()
    rig.queue.damage = 999
    before = rig.clock.monotonic()
    assert rig.source.read(0.5) is None
    assert rig.clock.monotonic() == pytest.approx(before + 0.5)


def test_a_stall_is_silence_until_it_ends() -> None:
    rig = opened()
    rig.play(1)
    rig.queue.stalled = True
    before = rig.clock.monotonic()
    assert rig.source.read(2.0) is None
    assert rig.clock.monotonic() == pytest.approx(before + 2.0)
    rig.queue.stalled = False
    rig.play(1)
    assert rig.source.stats.missed == 60


def test_a_padded_row_is_read_by_the_drivers_stride() -> None:
    rig = opened(FakeCamera([FakeFormat("YUYV")], padding_bytes=64))
    assert rig.source.mode is not None
    assert rig.source.mode.stride_bytes == 1344
    image = rig.read().image()
    assert image.shape == (480, 640, 3)
    assert image.min() == image.max()  # the padding is black


@pytest.mark.parametrize(("fourcc", "multiplanar"), [("YUYV", False), ("NM12", True), ("YM12", True), ("MJPG", False)])
def test_the_pixels_are_those_of_the_frame(fourcc: str, multiplanar: bool) -> None:
    rig = opened(FakeCamera([FakeFormat(fourcc)], multiplanar=multiplanar))
    images = []
    for _ in range(3):
        frame = rig.read()
        assert frame.image_for(160, 120).shape[0] < 480
        images.append(frame.image())
        frame.release()
    greys = [float(image.mean()) for image in images]
    assert greys == sorted(greys)
    assert np.all(np.diff(greys) > 8)
