"""A source over a camera that never was, and the clock that both run by."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from edged.capture.v4l2.controls import ControlValue
from edged.capture.v4l2.mode import WantedMode
from edged.capture.v4l2.source import V4l2Source
from edged.domain.frame import Frame
from edged.testing.clock import FakeClock
from edged.testing.v4l2 import FakeKernel
from edged.testing.v4l2_camera import FakeCamera

PATH = Path("/dev/video0")


class Rig:
    """One camera at PATH, not opened yet."""

    def __init__(
        self,
        camera: FakeCamera | None = None,
        wanted: WantedMode = WantedMode(),  # noqa: B008  frozen
        controls: Mapping[str, ControlValue] | None = None,
    ) -> None:
        self.clock = FakeClock()
        self.camera = camera or FakeCamera()
        self.queue = self.camera.queue
        self.kernel = FakeKernel({PATH: self.camera}, clock=self.clock)
        self.source = V4l2Source(PATH, clock=self.clock, wanted=wanted, controls=controls or {}, kernel=self.kernel)

    @property
    def stats(self) -> tuple[int, int, int, int]:
        """Frames given, dropped, corrupt and missed."""
        stats = self.source.stats
        return stats.frames, stats.dropped, stats.corrupt, stats.missed

    def read(self, timeout_s: float = 1.0) -> Frame:
        """Read a frame, which must come."""
        frame = self.source.read(timeout_s)
        assert frame is not None
        return frame

    def play(self, frames: int) -> list[int]:
        """Read and release so many frames; return their numbers."""
        numbers = []
        for _ in range(frames):
            frame = self.read()
            numbers.append(frame.seq)
            frame.release()
        return numbers


def opened(camera: FakeCamera | None = None, *, wanted: WantedMode = WantedMode()) -> Rig:  # noqa: B008  frozen
    """Make a rig whose source is open."""
    rig = Rig(camera, wanted)
    rig.source.open()
    return rig
