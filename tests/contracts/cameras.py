"""The cameras that the contracts are held against: some that never were, and a real one where there is one."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from edged.capture.v4l2.kernel import Kernel, LinuxKernel
from edged.clock import Clock, SystemClock
from edged.testing.clock import FakeClock
from edged.testing.v4l2 import FakeKernel
from edged.testing.v4l2_camera import FakeCamera, FakeFormat

DEVICE = "EDGED_V4L2_DEVICE"
"""Names the node of a real camera that nobody else uses, such as /dev/video0."""


@dataclass(frozen=True)
class Setup:
    """A camera, the kernel that it is plugged in at, and the clock that it runs by."""

    path: Path
    kernel: Kernel
    clock: Clock


def fake(fourcc: str, *, multiplanar: bool = False) -> Setup:
    """Plug in a camera that never was."""
    path, clock = Path("/dev/video0"), FakeClock()
    camera = FakeCamera([FakeFormat(fourcc, [(64, 48)], [25])], multiplanar=multiplanar)
    return Setup(path, FakeKernel({path: camera}, clock=clock), clock)


def real() -> Setup:
    """Take the real one, or skip the test."""
    device = os.environ.get(DEVICE)
    if not device:
        pytest.skip(f"{DEVICE} names no camera to try this with")
    return Setup(Path(device), LinuxKernel(), SystemClock())


CAMERAS: dict[str, Callable[[], Setup]] = {
    "raw": partial(fake, "YUYV"),
    "several planes": partial(fake, "NM12", multiplanar=True),
    "compressed": partial(fake, "MJPG"),
    "real": real,
}
