"""Every camera keeps the same promises, the one that never was and a real one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from edged.capture.v4l2.source import V4l2Source
from edged.domain.frame import Frame
from edged.errors import SourceBusy, SourceMisconfigured
from tests.contracts.cameras import CAMERAS, Setup


@pytest.fixture(params=list(CAMERAS.values()), ids=list(CAMERAS))
def setup(request: pytest.FixtureRequest) -> Setup:
    made: Setup = request.param()
    return made


@pytest.fixture
def source(setup: Setup) -> Iterator[V4l2Source]:
    with closing(V4l2Source(setup.path, clock=setup.clock, kernel=setup.kernel)) as made:
        made.open()
        yield made


def read(source: V4l2Source) -> Frame:
    frame = source.read(5.0)
    assert frame is not None
    return frame


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_frames_are_numbered_and_their_times_rise_up_to_now(source: V4l2Source, setup: Setup) -> None:
    last_seq, last_at = -1, 0.0
    for _ in range(20):
        frame = read(source)
        assert frame.seq > last_seq
        assert last_at < frame.captured_at <= setup.clock.monotonic()
        last_seq, last_at = frame.seq, frame.captured_at
        frame.release()
    stats = source.stats
    assert stats.frames == 20
    assert last_seq + 1 == stats.frames + stats.dropped + stats.corrupt + stats.missed


def test_a_picture_is_bgr_of_the_size_that_the_driver_agreed_to(source: V4l2Source) -> None:
    assert source.mode is not None
    frame = read(source)
    image = frame.image()
    assert image.shape == (frame.height_px, frame.width_px, 3) == (source.mode.height_px, source.mode.width_px, 3)
    assert image.dtype == np.uint8
    assert image.flags.c_contiguous
    frame.release()
    small = read(source)
    height_px, width_px, _ = small.image_for(32, 24).shape
    assert 32 <= width_px <= small.width_px
    assert 24 <= height_px <= small.height_px
    small.release()


def test_nobody_knows_how_many_frames_there_will_be(source: V4l2Source) -> None:
    assert source.frame_count() is None


def test_after_a_pause_the_newest_frame_comes_and_the_others_are_counted(source: V4l2Source, setup: Setup) -> None:
    read(source).release()
    setup.clock.wait(threading.Event(), 1.0)
    frame = read(source)
    assert frame.seq > 2
    frame.release()
    stats = source.stats
    assert stats.dropped >= 1
    assert frame.seq + 1 == stats.frames + stats.dropped + stats.corrupt + stats.missed


def test_a_read_without_patience_ends_at_once(source: V4l2Source, setup: Setup) -> None:
    read(source).release()
    before = setup.clock.monotonic()
    frames = [source.read(0.0) for _ in range(3)]
    assert None in frames
    assert setup.clock.monotonic() - before < 1.0
    for frame in frames:
        if frame is not None:
            frame.release()


def test_held_frames_keep_their_pixels_and_the_stream_goes_on(source: V4l2Source) -> None:
    held = read(source)
    at_first = held.image_for(32, 24).copy()
    waiting = read(source)
    for _ in range(10):
        read(source).release()
    assert np.array_equal(held.image_for(32, 24), at_first)
    held.release()
    waiting.release()


def test_a_frame_outlives_its_source_and_leaves_nothing_behind(setup: Setup) -> None:
    before = open_files()
    source = V4l2Source(setup.path, clock=setup.clock, kernel=setup.kernel)
    source.open()
    frame = read(source)
    at_first = frame.image_for(32, 24).copy()
    source.open()
    source.close()
    assert np.array_equal(frame.image_for(32, 24), at_first)
    frame.release()
    assert open_files() == before
    assert str(setup.path) not in Path("/proc/self/maps").read_text()


def test_a_camera_that_is_open_is_busy_for_others_until_it_is_closed(source: V4l2Source, setup: Setup) -> None:
    with closing(V4l2Source(setup.path, clock=setup.clock, kernel=setup.kernel)) as other:
        with pytest.raises(SourceBusy, match=str(setup.path)):
            other.open()
        read(source).release()
        source.close()
        other.open()
        read(other).release()


def test_a_control_that_is_not_there_is_refused_and_the_camera_let_go(setup: Setup) -> None:
    controls = {"no_such_thing": 1}
    source = V4l2Source(setup.path, clock=setup.clock, kernel=setup.kernel, controls=controls)
    before = open_files()
    with pytest.raises(SourceMisconfigured, match="no_such_thing"):
        source.open()
    assert open_files() == before
