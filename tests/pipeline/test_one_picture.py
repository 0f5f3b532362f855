from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from edged.capture.v4l2.source import V4l2Source
from edged.domain.frame import BgrImage, Frame
from edged.domain.health import SourceStats
from edged.errors import FrameCorrupt, SourceLost, SourceStalled, SourceUnreadable
from edged.pipeline.one_picture import take_picture
from edged.ports import EndOfStream
from edged.testing.clock import FakeClock
from edged.testing.source import SyntheticSource
from edged.testing.v4l2 import FakeKernel
from edged.testing.v4l2_camera import FakeCamera, FakeFormat


class Camera:
    """Gives a frame every `interval_s`, each as bright as its number; some are damaged, and all want to come back."""

    def __init__(
        self,
        clock: FakeClock,
        *,
        interval_s: float = 0.1,
        first_after_s: float = 0.0,
        damaged: Sequence[int] = (),
        frames: int = 999,
    ) -> None:
        self.stats = SourceStats()
        self.decoded: list[int] = []
        self.given = self.released = 0
        self._clock = clock
        self._interval_s = interval_s
        self._awake_at = clock.monotonic() + first_after_s
        self._damaged = damaged
        self._frames = frames

    def open(self) -> None: ...

    def close(self) -> None: ...

    def frame_count(self) -> int | None:
        return None

    def read(self, timeout_s: float) -> Frame | None:
        if self._clock.monotonic() < self._awake_at:
            self._clock.advance(min(timeout_s, self._awake_at - self._clock.monotonic()))
            return None
        self._clock.advance(min(timeout_s, self._interval_s))
        if timeout_s < self._interval_s:
            return None
        if self.given == self._frames:
            raise EndOfStream
        self.given += 1
        return Frame(
            seq=self.given - 1,
            captured_at=self._clock.monotonic(),
            width_px=8,
            height_px=4,
            decode=self._decoder(self.given - 1),
            release=self._take_back,
        )

    def _decoder(self, seq: int) -> Callable[[], BgrImage]:
        def decode() -> BgrImage:
            self.decoded.append(seq)
            if seq in self._damaged:
                raise FrameCorrupt("damaged", hint="Look at the next.")
            return np.full((4, 8, 3), seq, np.uint8)

        return decode

    def _take_back(self) -> None:
        self.released += 1


def taken(camera: Camera, clock: FakeClock, *, timeout_s: float = 2.0, settle: bool = True) -> int:
    """Take a picture and read its number."""
    return int(take_picture(camera, name="yard", clock=clock, timeout_s=timeout_s, settle=settle)[0, 0, 0])


def test_a_file_gives_its_first_picture() -> None:
    clock = FakeClock()
    assert taken(Camera(clock), clock, settle=False) == 0


def test_a_camera_is_watched_for_a_second_before_the_picture_counts() -> None:
    clock = FakeClock()
    camera = Camera(clock)
    taken(camera, clock)
    assert 1001.0 <= clock.monotonic() < 1001.3
    assert len(camera.decoded) == 1, "what goes by is not decoded"
    assert camera.released == camera.given


def test_a_slow_camera_is_given_five_frames() -> None:
    clock = FakeClock()
    assert taken(Camera(clock, interval_s=0.45), clock) == 5


def test_a_damaged_picture_is_passed_over() -> None:
    clock = FakeClock()
    camera = Camera(clock, damaged=[0, 1])
    assert taken(camera, clock, settle=False) == 2
    assert camera.released == camera.given == 3


def test_a_silent_camera_is_given_up() -> None:
    clock = FakeClock()
    with pytest.raises(SourceStalled, match=r"yard gave no picture .* within 5 s"):
        taken(Camera(clock, interval_s=9.0), clock)
    assert clock.monotonic() == pytest.approx(1005.0)  # as long as the daemon waits for a first frame


def test_a_camera_that_wakes_slowly_is_waited_for_as_the_daemon_does() -> None:
    clock = FakeClock()
    assert taken(Camera(clock, first_after_s=4.0), clock, timeout_s=1.5, settle=False) == 0
    assert clock.monotonic() == pytest.approx(1004.1)


def test_a_camera_that_falls_silent_after_its_first_frames_is_given_up_after_the_time_out() -> None:
    clock = FakeClock()
    source = SyntheticSource(clock=clock, objects=0, width_px=32, height_px=24, in_real_time=True, stall_at=3)
    source.open()
    with pytest.raises(SourceStalled, match=r"within 1\.5 s"):
        take_picture(source, name="yard", clock=clock, timeout_s=1.5, settle=True)
    assert clock.monotonic() == pytest.approx(1000.2 + 1.5, abs=0.5)


def test_a_camera_that_gives_nothing_but_damage_is_given_up() -> None:
    clock = FakeClock()
    with pytest.raises(SourceStalled):
        taken(Camera(clock, damaged=range(999)), clock)


def test_a_file_without_a_whole_picture_is_unreadable() -> None:
    clock = FakeClock()
    with pytest.raises(SourceUnreadable, match="yard holds no picture"):
        taken(Camera(clock, damaged=[0], frames=1), clock, settle=False)


def test_a_camera_that_goes_away_meanwhile_is_lost() -> None:
    clock = FakeClock()
    source = SyntheticSource(clock=clock, fail_at=3)
    source.open()
    with pytest.raises(SourceLost):
        take_picture(source, name="yard", clock=clock, timeout_s=2.0, settle=True)


def test_a_camera_gets_all_its_buffers_back() -> None:
    clock, path = FakeClock(), Path("/dev/video0")
    kernel = FakeKernel({path: FakeCamera([FakeFormat("YUYV", [(64, 48)])])}, clock=clock)
    source = V4l2Source(path, clock=clock, kernel=kernel)
    source.open()
    image = take_picture(source, name="yard", clock=clock, timeout_s=2.0, settle=True)
    assert image.shape == (48, 64, 3)
    assert source.stats.frames > 5
    source.close()
    assert kernel.open_files == 0
