from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edged.capture.camera import CameraSource, check_camera_node
from edged.errors import SourceBusy, SourceDenied, SourceLost, SourceNotFound, SourceUnreadable
from edged.testing.clock import FakeClock
from tests.unit.capture.clips import as_nobody


class ScriptedCapture:
    """Gives pictures in turn, or raises what stands among them.

    None is a frame that did not come in the second that the driver was given.
    """

    def __init__(self, clock: FakeClock, pictures: Sequence[Any], *, opens: bool = True) -> None:
        self._clock = clock
        self._pictures: Iterator[Any] = iter(pictures)
        self._opens = opens
        self.released = 0

    def isOpened(self) -> bool:  # noqa: N802
        return self._opens

    def read(self) -> tuple[bool, Any]:
        picture = next(self._pictures, None)
        self._clock.advance(1.0 if picture is None else 0.04)
        if isinstance(picture, Exception):
            raise picture
        return picture is not None, picture

    def release(self) -> None:
        self.released += 1


def picture(value: int) -> Any:
    return np.full((48, 64, 3), value, np.uint8)


def camera(clock: FakeClock, capture: ScriptedCapture, node_errors: Sequence[Exception | None] = ()) -> CameraSource:
    errors = iter(node_errors)

    def check_node(path: Path) -> None:
        error = next(errors, None)
        if error is not None:
            raise error

    return CameraSource(Path("/dev/video0"), clock=clock, check_node=check_node, connect=lambda path: capture)


def test_a_missing_camera_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFound, match="video7"):
        CameraSource(tmp_path / "video7", clock=FakeClock()).open()


def test_a_file_is_no_camera(tmp_path: Path) -> None:
    (tmp_path / "video0").touch()
    with pytest.raises(SourceUnreadable, match="not a device"):
        CameraSource(tmp_path / "video0", clock=FakeClock()).open()


def test_another_device_is_no_camera() -> None:
    with pytest.raises(SourceUnreadable, match="not a camera"):
        CameraSource(Path("/dev/null"), clock=FakeClock()).open()


def test_a_camera_that_this_user_may_not_open_is_denied(tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    hidden.chmod(0)
    with as_nobody(), pytest.raises(SourceDenied, match="may not be opened"):
        check_camera_node(hidden / "video0")


def test_checking_a_node_leaves_no_file_open() -> None:
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    for _ in range(20):
        with pytest.raises(SourceUnreadable):
            check_camera_node(Path("/dev/null"))
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_a_camera_that_does_not_start_is_busy_and_let_go() -> None:
    clock = FakeClock()
    capture = ScriptedCapture(clock, [], opens=False)
    with pytest.raises(SourceBusy, match="does not start"):
        camera(clock, capture).open()
    assert capture.released == 1


def test_frames_are_counted_and_stamped_when_they_come() -> None:
    clock = FakeClock(monotonic=0.0)
    source = camera(clock, ScriptedCapture(clock, [picture(1), picture(2)]))
    source.open()
    frames = [source.read(1.0), source.read(1.0)]
    assert all(frame is not None for frame in frames)
    assert [(f.seq, round(f.captured_at, 2), int(f.image()[0, 0, 0])) for f in frames if f] == [
        (0, 0.04, 1),
        (1, 0.08, 2),
    ]
    assert source.stats.frames == 2
    assert source.frame_count() is None


def test_a_camera_that_gives_nothing_times_out() -> None:
    clock = FakeClock()
    source = camera(clock, ScriptedCapture(clock, [None] * 9))
    source.open()
    before = clock.monotonic()
    assert source.read(2.5) is None
    assert 2.5 <= clock.monotonic() - before <= 3.5


def test_a_camera_that_is_pulled_out_is_an_error() -> None:
    clock = FakeClock()
    gone = SourceLost("/dev/video0 went away", hint="Plug it in again.")
    source = camera(clock, ScriptedCapture(clock, [picture(1), None]), node_errors=[None, gone])
    source.open()
    source.read(1.0)
    with pytest.raises(SourceLost):
        source.read(1.0)


def test_a_frame_that_opencv_cannot_read_is_counted_and_passed_over() -> None:
    clock = FakeClock()
    source = camera(clock, ScriptedCapture(clock, [cv2.error("bad JPEG"), cv2.error("bad JPEG"), picture(1)]))
    source.open()
    frame = source.read(1.0)
    assert frame is not None
    assert frame.seq == 0
    assert (source.stats.corrupt, source.stats.frames) == (2, 1)


def test_a_camera_that_gives_nothing_but_damaged_frames_is_lost() -> None:
    clock = FakeClock()
    source = camera(clock, ScriptedCapture(clock, [cv2.error("bad JPEG")] * 999))
    source.open()
    with pytest.raises(SourceLost, match="bad JPEG"):
        source.read(9.0)
    assert source.stats.corrupt == 30


def test_damaged_frames_now_and_then_do_not_add_up_to_a_lost_camera() -> None:
    clock = FakeClock()
    source = camera(clock, ScriptedCapture(clock, [cv2.error("bad JPEG"), picture(1)] * 40))
    source.open()
    assert all(source.read(1.0) for _ in range(40))
    assert source.stats.corrupt == 40


def test_a_camera_that_opencv_fails_to_open_is_unreadable() -> None:
    def fail(path: Path) -> ScriptedCapture:
        raise cv2.error("unknown format")

    source = CameraSource(Path("/dev/video0"), clock=FakeClock(), check_node=lambda path: None, connect=fail)
    with pytest.raises(SourceUnreadable, match="unknown format"):
        source.open()


def test_closing_gives_the_camera_back_once() -> None:
    clock = FakeClock()
    capture = ScriptedCapture(clock, [])
    source = camera(clock, capture)
    source.open()
    source.close()
    source.close()
    assert capture.released == 1
    with pytest.raises(RuntimeError, match="open"):
        source.read(1.0)
