"""The buffers of a running camera: filled by the driver, lent to frames, given back."""

from __future__ import annotations

import ctypes
import threading
from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt

from edged.capture.v4l2 import abi, structures
from edged.capture.v4l2.device import Device
from edged.capture.v4l2.faults import fault, refusal
from edged.capture.v4l2.kernel import Kernel
from edged.capture.v4l2.mode import Mode
from edged.errors import SourceUnreadable

Planes = list[npt.NDArray[np.uint8]]

BUFFERS = 5
"""One is being detected, one waits in the mailbox, one was just read: two are left for the driver to fill."""

_LENDABLE = 4  # with fewer buffers than this the driver would run dry while frames are out
_OVERWRITING_DRIVERS = frozenset({"v4l2 loopback"})  # its producer writes into buffers that a reader holds


class Stream:
    """One run of a camera, from STREAMON to STREAMOFF; a new run is a new Stream.

    start(), wait(), take() and stop() belong to the thread that reads. give_back() may come from any thread, after
    stop() too: a buffer of a run that is over is never queued again, and its memory stays mapped as long as somebody
    holds a view of it.
    """

    def __init__(self, device: Device, mode: Mode, kernel: Kernel) -> None:
        self._device = device
        self._mode = mode
        self._kernel = kernel
        self._ioctl = kernel.ioctl  # looked up once: these are called for each frame
        self._fd = device.fd
        self._memory: list[Planes] = []
        self._queueing: list[ctypes.Structure] = []  # a struct v4l2_buffer for each, ready for QBUF
        self._tables: list[Any] = []  # of planes, which these point to
        self._lent: list[bool] = []
        self._lock = threading.Lock()
        self._running = False
        self._queue_error: OSError | None = None
        self.filled, self._filled_planes = self._buffer(0)
        """The struct v4l2_buffer that the last take() filled in."""

    @property
    def lends(self) -> bool:
        """Whether frames may hold buffers; else they must be copied."""
        return len(self._memory) >= _LENDABLE and self._device.driver not in _OVERWRITING_DRIVERS

    @property
    def size(self) -> int:
        """How many buffers there are."""
        return len(self._memory)

    @property
    def has_run_dry(self) -> bool:
        """Whether every buffer is out, so that the driver has none to fill."""
        return all(self._lent)

    def start(self) -> None:
        """Get buffers and let the driver fill them. Raises SourceError; then, too, stop() tidies up."""
        count = self._request_buffers()
        doing = "give its buffers"
        try:
            for index in range(count):
                self._map(index)
            doing = "start streaming"
            for buffer in self._queueing:
                self._ioctl(self._fd, abi.QBUF, buffer)
            self._ioctl(self._fd, abi.STREAMON, ctypes.c_int32(self._device.buffer_type))
        except OSError as error:
            raise refusal(error, self._device.path, doing) from error
        self._poller = self._kernel.poller(self._fd)
        self._running = True

    def wait(self, timeout_s: float) -> int:
        """Wait for a filled buffer or an error; return the events of poll(), 0 when nothing came."""
        events = self._poller.poll(timeout_s * 1000)
        return events[0][1] if events else 0

    def take(self) -> int:
        """Take the oldest filled buffer from the driver: its index, -1 when there is none. Raises SourceError."""
        if self._queue_error is not None:
            raise fault(self._queue_error, self._device.path) from self._queue_error
        try:
            self._ioctl(self._fd, abi.DQBUF, self.filled)
        except BlockingIOError:
            return -1
        except OSError as error:
            raise fault(error, self._device.path) from error
        index: int = self.filled.index
        self._lent[index] = True
        return index

    def views(self, index: int) -> Planes:
        """Look at what the driver wrote into the buffer that take() has just returned: (bytes,) uint8, one a plane."""
        memory = self._memory[index]
        if self._filled_planes is None:
            return [memory[0][: self.filled.bytesused]]
        return [
            plane[told.data_offset : told.bytesused] for plane, told in zip(memory, self._filled_planes, strict=False)
        ]

    def is_damaged(self) -> bool:
        """Whether the driver says that the buffer that was just taken holds no whole picture."""
        filled = self.filled
        used = filled.bytesused if self._filled_planes is None else self._filled_planes[0].bytesused
        return bool(filled.flags & abi.BUF_FLAG_ERROR) or not used

    def give_back(self, index: int) -> None:
        """Let the driver fill a buffer again. From any thread; never raises: take() tells what went wrong."""
        with self._lock:  # stop() must not close the file in between: its number may soon be another file's
            if not self._running:
                return
            self._lent[index] = False
            try:
                self._ioctl(self._fd, abi.QBUF, self._queueing[index])
            except OSError as error:
                self._queue_error = error

    def stop(self) -> None:
        """End the run. The device stays open, and can start a new one."""
        with self._lock:
            self._running = False
        self._memory.clear()  # what frames still hold is unmapped when they let go
        none = structures.RequestBuffers(count=0, type=self._device.buffer_type, memory=abi.MEMORY_MMAP)
        for request, argument in ((abi.STREAMOFF, ctypes.c_int32(self._device.buffer_type)), (abi.REQBUFS, none)):
            with suppress(OSError):  # an unplugged camera, or one that never started
                self._ioctl(self._fd, request, argument)

    def _request_buffers(self) -> int:
        request = structures.RequestBuffers(count=BUFFERS, type=self._device.buffer_type, memory=abi.MEMORY_MMAP)
        try:
            self._ioctl(self._fd, abi.REQBUFS, request)
        except OSError as error:
            raise refusal(error, self._device.path, "give buffers") from error
        if request.count < 2:
            raise SourceUnreadable(
                f"{self._device.path} cannot start: its driver gives only {request.count} buffers",
                hint="Choose a smaller size, or use another camera.",
            )
        return int(request.count)

    def _buffer(self, index: int) -> tuple[Any, Any]:
        """Make a struct v4l2_buffer, and its table of planes where there is one."""
        buffer = structures.Buffer(index=index, type=self._device.buffer_type, memory=abi.MEMORY_MMAP)
        if not self._device.multiplanar:
            return buffer, None
        table = (structures.Plane * len(self._mode.plane_bytes))()
        buffer.planes, buffer.length = ctypes.addressof(table), len(table)
        return buffer, table

    def _map(self, index: int) -> None:
        buffer, table = self._buffer(index)
        self._ioctl(self._fd, abi.QUERYBUF, buffer)
        places = [(buffer.length, buffer.offset)] if table is None else [(p.length, p.mem_offset) for p in table]
        self._memory.append([self._kernel.mmap(self._fd, length, offset) for length, offset in places])
        self._queueing.append(buffer)
        self._tables.append(table)
        self._lent.append(False)
