"""The system calls that a camera is read with: the seam where a test puts a kernel of its own."""

from __future__ import annotations

import fcntl
import mmap
import os
import select
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

POLLIN = select.POLLIN
POLLERR = select.POLLERR
POLLHUP = select.POLLHUP


class Poll(Protocol):
    """Waits for one file."""

    def poll(self, timeout_ms: float, /) -> list[tuple[int, int]]:
        """Return [(fd, events)] once there is something to read, or an error; [] after `timeout_ms`."""
        ...


class Kernel(Protocol):
    """What is asked of the operating system. Every call raises OSError."""

    def open(self, path: Path) -> int:
        """Open a device for reading and writing, without blocking; return its file descriptor."""
        ...

    def ioctl(self, fd: int, request: int, argument: Any, /) -> object:
        """Make a request of edged.capture.v4l2.abi; the answer is written into `argument`, a ctypes object."""
        ...

    def mmap(self, fd: int, length: int, offset: int) -> npt.NDArray[np.uint8]:
        """Map a buffer, (length,) uint8. It is unmapped once neither the array nor a view of it is left."""
        ...

    def poller(self, fd: int) -> Poll:
        """Make a poll object for one file."""
        ...

    def close(self, fd: int) -> None:
        """Close the device."""
        ...


class LinuxKernel:
    """The real one."""

    def open(self, path: Path) -> int:
        return os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def ioctl(self, fd: int, request: int, argument: Any, /) -> object:
        while True:
            try:
                return fcntl.ioctl(fd, request, argument)
            except InterruptedError:  # Python itself repeats only the calls that it knows to be harmless
                continue

    def mmap(self, fd: int, length: int, offset: int) -> npt.NDArray[np.uint8]:
        # The map has a descriptor of its own until it is unmapped, which costs nothing: a map holds the device anyway.
        return np.frombuffer(mmap.mmap(fd, length, offset=offset), np.uint8)

    def poller(self, fd: int) -> Poll:
        poller = select.poll()
        poller.register(fd, POLLIN)  # POLLERR and POLLHUP are always told
        return poller

    def close(self, fd: int) -> None:
        os.close(fd)
