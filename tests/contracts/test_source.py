"""Every Source keeps the same promises."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from edged.capture.image_folder import ImageFolderSource
from edged.capture.v4l2.source import V4l2Source
from edged.capture.video_file import VideoFileSource
from edged.domain.frame import Frame
from edged.ports import EndOfStream, Source
from edged.testing.clock import FakeClock
from edged.testing.source import SyntheticSource
from edged.testing.v4l2 import FakeKernel
from edged.testing.v4l2_camera import FakeCamera, FakeFormat
from tests.contracts.network import FedSource, mjpeg, rtsp
from tests.unit.capture.clips import grey_step, make_clip

FRAMES = 10

MakeSource = Callable[[Path, FakeClock, bool], Source]


def _video(folder: Path, clock: FakeClock, in_real_time: bool) -> Source:
    path = folder / "clip.mp4"
    return VideoFileSource(
        path if path.exists() else make_clip(path, frames=FRAMES), clock=clock, in_real_time=in_real_time
    )


def _folder(folder: Path, clock: FakeClock, in_real_time: bool) -> Source:
    for seq in range(FRAMES):
        cv2.imwrite(str(folder / f"{seq}.png"), grey_step(seq, 40 + seq, 30))
    return ImageFolderSource(folder, clock=clock, interval_s=0.1, in_real_time=in_real_time)


def _synthetic(folder: Path, clock: FakeClock, in_real_time: bool) -> Source:
    return SyntheticSource(clock=clock, frames=FRAMES, noise_sigma=3.0, in_real_time=in_real_time)


def _camera(folder: Path, clock: FakeClock, in_real_time: bool) -> Source:
    path = Path("/dev/video0")
    kernel = FakeKernel({path: FakeCamera([FakeFormat("YUYV", [(64, 48)])])}, clock=clock)
    return V4l2Source(path, clock=clock, kernel=kernel)


RECORDINGS = {"video file": _video, "image folder": _folder, "synthetic": _synthetic}
ENDLESS = {"camera": _camera}  # has more promises of its own: test_camera.py
NETWORK = {"RTSP": rtsp, "MJPEG over HTTP": mjpeg}


@pytest.fixture(params=list(RECORDINGS.values()), ids=list(RECORDINGS))
def make(request: pytest.FixtureRequest) -> MakeSource:
    made: MakeSource = request.param
    return made


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def source(make: MakeSource, tmp_path: Path, clock: FakeClock) -> Source:
    return make(tmp_path, clock, False)


@pytest.fixture(params=[*RECORDINGS.values(), *ENDLESS.values()], ids=[*RECORDINGS, *ENDLESS])
def local_source(request: pytest.FixtureRequest, tmp_path: Path, clock: FakeClock) -> Source:
    made: Source = request.param(tmp_path, clock, False)
    return made


@pytest.fixture(params=[*RECORDINGS, *ENDLESS, *NETWORK])
def any_source(request: pytest.FixtureRequest, tmp_path: Path, clock: FakeClock) -> Iterator[Source]:
    if request.param in NETWORK:
        fed: FedSource = NETWORK[request.param](clock)
        yield fed
        fed.tear_down()
    else:
        yield {**RECORDINGS, **ENDLESS}[request.param](tmp_path, clock, False)


def _read(source: Source) -> Frame:
    frame = source.read(1.0)
    assert frame is not None
    return frame


def _read_all(source: Source) -> list[Frame]:
    frames = []
    while True:
        try:
            frames.append(_read(source))
        except EndOfStream:
            return frames


def test_all_frames_come_in_order_and_then_the_stream_stays_at_its_end(source: Source) -> None:
    source.open()
    frames = _read_all(source)
    assert [frame.seq for frame in frames] == list(range(FRAMES))
    for _ in range(3):
        with pytest.raises(EndOfStream):
            source.read(1.0)
    source.close()


def test_the_time_of_capture_starts_at_open_and_rises_strictly(source: Source, clock: FakeClock) -> None:
    source.open()
    times = [frame.captured_at for frame in _read_all(source)]
    assert times[0] == clock.monotonic()
    assert np.allclose(np.diff(times), 0.1)
    source.close()


def test_a_picture_is_bgr_of_the_size_that_the_frame_says(any_source: Source) -> None:
    any_source.open()
    for _ in range(FRAMES):
        frame = _read(any_source)
        image = frame.image()
        assert image.shape == (frame.height_px, frame.width_px, 3)
        assert image.dtype == np.uint8
        assert image.flags.c_contiguous
        assert frame.image() is image
        frame.release()
    any_source.close()


def test_a_picture_that_was_looked_at_stays_when_its_frame_is_given_back(any_source: Source) -> None:
    any_source.open()
    frame = _read(any_source)
    image = frame.image()
    at_first = image.copy()
    frame.release()
    for _ in range(FRAMES - 1):
        _read(any_source).release()
    any_source.close()
    assert np.array_equal(image, at_first)


def test_a_small_look_shows_the_whole_scene(source: Source) -> None:
    source.open()
    for frame in _read_all(source):
        width_px, height_px = frame.width_px // 2, frame.height_px // 2
        small = frame.image_for(width_px, height_px)
        assert small.shape[0] >= height_px
        assert small.shape[1] >= width_px
        assert small.dtype == np.uint8
        assert small.flags.c_contiguous
        assert np.allclose(small.mean(axis=(0, 1)), frame.image().mean(axis=(0, 1)), atol=4)
    source.close()


def test_a_frame_stays_valid_after_later_reads_and_after_close(source: Source) -> None:
    source.open()
    early = [frame.image().copy() for frame in _read_all(source)]
    source.close()
    source.open()
    frames = _read_all(source)
    looked_at_early = frames[0].image()
    source.close()
    for image, frame in zip(early, frames, strict=True):
        assert np.array_equal(frame.image(), image)
    assert np.array_equal(looked_at_early, early[0])
    assert not np.array_equal(early[0], early[1])


def test_closing_twice_or_unopened_is_harmless(any_source: Source) -> None:
    any_source.close()
    any_source.open()
    any_source.close()
    any_source.close()


def test_reopening_starts_again_and_the_totals_run_on(any_source: Source, clock: FakeClock) -> None:
    any_source.open()
    _read(any_source)
    _read(any_source)
    any_source.close()
    clock.advance(60)
    any_source.open()
    frame = _read(any_source)
    assert frame.seq == 0
    assert frame.captured_at == pytest.approx(clock.monotonic())
    assert any_source.stats.frames == 3
    any_source.close()


def test_opening_an_open_source_starts_again(any_source: Source) -> None:
    any_source.open()
    _read(any_source)
    any_source.open()
    assert _read(any_source).seq == 0
    any_source.close()


def test_reading_what_is_not_open_is_a_mistake_in_the_program(any_source: Source) -> None:
    with pytest.raises(RuntimeError, match="open"):
        any_source.read(1.0)
    any_source.open()
    any_source.close()
    with pytest.raises(RuntimeError, match="open"):
        any_source.read(1.0)


def test_the_totals_count_what_was_given_out(source: Source) -> None:
    source.open()
    _read_all(source)
    assert (source.stats.frames, source.stats.dropped, source.stats.corrupt) == (FRAMES, 0, 0)
    source.close()


def test_an_open_source_says_about_how_many_frames_there_are(source: Source) -> None:
    source.open()
    assert source.frame_count() == FRAMES
    source.close()


def test_fifty_reopenings_leave_no_file_open(local_source: Source) -> None:
    def open_files() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    local_source.open()
    local_source.close()
    before = open_files()
    for _ in range(50):
        local_source.open()
        _read(local_source).release()
        local_source.close()
    assert open_files() == before


def test_two_runs_give_the_same_pixels(make: MakeSource, tmp_path: Path, clock: FakeClock) -> None:
    runs = []
    for _ in range(2):
        source = make(tmp_path, clock, False)
        source.open()
        runs.append([frame.image() for frame in _read_all(source)])
        source.close()
    assert all(np.array_equal(a, b) for a, b in zip(*runs, strict=True))


def test_in_real_time_a_frame_comes_when_it_is_due(make: MakeSource, tmp_path: Path, clock: FakeClock) -> None:
    source = make(tmp_path, clock, True)
    source.open()
    for _ in range(FRAMES):
        assert _read(source).captured_at == pytest.approx(clock.monotonic())
    assert source.stats.frames == FRAMES
    assert source.stats.dropped == 0
    source.close()


def test_in_real_time_a_read_ends_at_its_time_out_without_a_frame(
    make: MakeSource, tmp_path: Path, clock: FakeClock
) -> None:
    source = make(tmp_path, clock, True)
    source.open()
    _read(source)
    before = clock.monotonic()
    assert source.read(0.04) is None
    assert clock.monotonic() == pytest.approx(before + 0.04)
    assert source.read(0.04) is None
    frame = source.read(0.04)
    assert frame is not None
    assert frame.seq == 1
    source.close()


def test_in_real_time_the_newest_frame_wins_and_the_others_are_counted(
    make: MakeSource, tmp_path: Path, clock: FakeClock
) -> None:
    source = make(tmp_path, clock, True)
    source.open()
    assert _read(source).seq == 0
    clock.advance(0.45)
    assert _read(source).seq == 4
    assert source.stats.dropped == 3
    assert _read(source).seq == 5
    clock.advance(60)
    assert _read(source).seq == FRAMES - 1
    assert source.stats.frames + source.stats.dropped == FRAMES
    with pytest.raises(EndOfStream):
        source.read(1.0)
    source.close()
