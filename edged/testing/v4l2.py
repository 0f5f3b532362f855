"""A kernel that never was: cameras that speak V4L2, with faults on demand.

It stands where edged.capture.v4l2.kernel stands, and knows the header linux/videodev2.h by itself: a request by its
number, and the fields of its structure by their names.
"""

from __future__ import annotations

import errno
import itertools
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edged.clock import Clock
from edged.testing.v4l2_camera import FakeCamera
from edged.testing.v4l2_queue import error

_FIRST_FD = 1_000_000  # no real file has such a number: a call that goes past the fake fails


class FakeKernel:
    """Keeps cameras under the paths of their nodes; implements edged.capture.v4l2.kernel.Kernel."""

    def __init__(self, cameras: Mapping[Path, FakeCamera], *, clock: Clock) -> None:
        """Waiting for a frame waits on `clock`, which the cameras run by."""
        self.cameras = dict(cameras)
        self.opened = 0
        """Times that any device was opened."""
        self._clock = clock
        self._files: dict[int, FakeCamera] = {}
        self._lock = threading.RLock()
        self._never = threading.Event()

    @property
    def open_files(self) -> int:
        """How many devices are open now."""
        return len(self._files)

    def open(self, path: Path) -> int:
        camera = self.cameras.get(path)
        if camera is None or not camera.has_node:
            raise error(errno.ENOENT)
        if camera.open_error:
            raise error(camera.open_error)
        self.opened += 1
        fd = next(
            number for number in itertools.count(_FIRST_FD) if number not in self._files
        )  # a real one reuses, too
        self._files[fd] = camera
        camera.opened(fd)
        return fd

    def ioctl(self, fd: int, request: int, argument: Any, /) -> object:
        with self._lock:
            self._camera(fd).ioctl(fd, request & 0xFF, argument, self._clock.monotonic())
        return 0

    def mmap(self, fd: int, length: int, offset: int) -> npt.NDArray[np.uint8]:
        return self._camera(fd).mmap(length, offset)

    def poller(self, fd: int) -> _Poller:
        return _Poller(self, fd)

    def close(self, fd: int) -> None:
        with self._lock:
            self._camera(fd).closed(fd)
            del self._files[fd]

    def poll(self, fd: int, timeout_ms: float) -> list[tuple[int, int]]:
        """Wait until a file has a frame or an error."""
        until = self._clock.monotonic() + timeout_ms / 1000
        while True:
            with self._lock:
                now = self._clock.monotonic()
                camera = self._camera(fd)
                events = camera.poll(fd, now)
                due_at = min(camera.queue.next_frame_at(), until)
            if events or now >= until:
                return [(fd, events)] if events else []
            self._clock.wait(self._never, max(due_at - now, 1e-6))

    def _camera(self, fd: int) -> FakeCamera:
        if fd not in self._files:
            raise error(errno.EBADF)
        return self._files[fd]


class _Poller:
    def __init__(self, kernel: FakeKernel, fd: int) -> None:
        self._kernel = kernel
        self._fd = fd

    def poll(self, timeout_ms: float, /) -> list[tuple[int, int]]:
        return self._kernel.poll(self._fd, timeout_ms)
