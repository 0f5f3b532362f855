"""The buffers of a camera that never was, and the frames that it puts into them."""

from __future__ import annotations

import ctypes
import errno
import math
import os
import struct
import weakref
from collections import deque
from typing import Any

import numpy as np
import numpy.typing as npt

from edged.testing.v4l2_pictures import PictureLayout

_FLAG_ERROR, FLAG_MONOTONIC = 0x40, 0x2000
_PAGE = 4096
_WORD = struct.calcsize("P")
_PLANE_BYTES = 60 if _WORD == 4 else 64  # struct v4l2_plane: bytesused, length, m (a word), data_offset


class FakeQueue:
    """A driver's queue, with levers: set an attribute, and it behaves so from then on.

    Frame k, counted from 0, is taken (k + 1) / fps after STREAMON. It is written into the buffer that was queued
    longest ago, or lost where none is.
    """

    def __init__(self) -> None:
        self.buffers_max = 32
        self.paints = True  # False leaves the buffers as they are, which costs nothing
        self.stalled = False  # frames are taken, and all of them lost
        self.broken = False  # a fatal error, until STREAMOFF
        self.damage = 0  # so many of the next frames are flagged as bad
        self.empty = 0  # so many of the next frames hold no bytes
        self.lose = 0  # so many of the next frames are lost
        self.numbers_frames = True
        self.stamp_flags = FLAG_MONOTONIC
        self.stamp_ahead_s = 0.0
        self.first_sequence = 0
        # What it does now
        self.streaming = False
        self.done: deque[_Buffer] = deque()
        self.wrong_requests = 0  # requests about buffers that no well-behaved program makes
        self._buffers: list[_Buffer] = []
        self._queued: deque[_Buffer] = deque()
        self._taken = 0
        self._started_at = 0.0
        self._fps = 1.0
        self._memories: list[weakref.ref[_Memory]] = []

    @property
    def mapped(self) -> int:
        """How many planes are mapped, those of earlier runs too."""
        return sum(memory() is not None for memory in self._memories)

    def next_frame_at(self) -> float:
        """Return the monotonic instant of the next frame; infinity when none will come."""
        return self._started_at + (self._taken + 1) / self._fps if self.streaming else math.inf

    def advance(self, now: float) -> None:
        """Take the frames that are due."""
        if not self.streaming or self.broken:
            return
        due = math.floor((now - self._started_at) * self._fps + 1e-6)
        for number in range(self._taken, due):
            if self.lose:
                self.lose -= 1
            elif not self.stalled and self._queued:
                self._fill(self._queued.popleft(), number)
        self._taken = max(due, self._taken)

    def allocate(self, count: int, layout: PictureLayout) -> int:
        """Make buffers in place of those that there were; return how many."""
        if self.streaming:
            raise error(errno.EBUSY)
        self.free()
        self._layout = layout
        sizes = [-(-size // _PAGE) * _PAGE for size in layout.plane_bytes]
        self._buffers = [_Buffer(index, sizes) for index in range(min(count, self.buffers_max))]
        self._memories = [memory for memory in self._memories if memory() is not None]
        return len(self._buffers)

    def free(self) -> None:
        """Forget the buffers; what is mapped stays."""
        self.streamoff()
        self._buffers = []

    def mmap(self, length: int, offset: int) -> npt.NDArray[np.uint8]:
        """Map the plane that querybuf() gave this offset."""
        buffer, plane = self._buffers[offset // _PAGE // 8], offset // _PAGE % 8
        memory = buffer.planes[plane]
        if length != len(memory):
            raise error(errno.EINVAL)
        if not any(known() is memory for known in self._memories):
            self._memories.append(weakref.ref(memory))
        return np.frombuffer(memory, np.uint8)

    def querybuf(self, answer: Any, now: float) -> None:
        """VIDIOC_QUERYBUF."""
        buffer = self._named(answer)
        offsets = [(buffer.index * 8 + plane) * _PAGE for plane in range(len(buffer.planes))]
        if _is_multiplanar(answer):
            answer.length = len(buffer.planes)
            for at, (memory, offset) in enumerate(zip(buffer.planes, offsets, strict=True)):
                _write_plane(answer, at, 0, len(memory), offset)
        else:
            answer.length, answer.offset = len(buffer.planes[0]), offsets[0]

    def qbuf(self, answer: Any, now: float) -> None:
        """VIDIOC_QBUF."""
        buffer = self._named(answer)
        if buffer.is_drivers:
            self._blame()
        buffer.is_drivers = True
        self._queued.append(buffer)

    def dqbuf(self, answer: Any, now: float) -> None:
        """VIDIOC_DQBUF."""
        if self.broken:
            raise error(errno.EIO)
        if not self.streaming:
            raise error(errno.EINVAL)
        if not self.done:
            raise error(errno.EAGAIN)
        buffer = self.done.popleft()
        buffer.is_drivers = False
        answer.index, answer.sequence, answer.flags = buffer.index, buffer.sequence, buffer.flags
        answer.tv_sec, answer.tv_usec = divmod(buffer.stamp_us, 1_000_000)
        if _is_multiplanar(answer):
            for at, used in enumerate(buffer.used):
                _write_plane(answer, at, used, len(buffer.planes[at]), 0)
        else:
            answer.bytesused = buffer.used[0]

    def streamon(self, now: float, fps: float) -> None:
        """VIDIOC_STREAMON."""
        if not self._buffers:
            raise error(errno.EINVAL)
        self.streaming, self.broken = True, False
        self._started_at, self._fps, self._taken = now, fps, 0

    def streamoff(self) -> None:
        """VIDIOC_STREAMOFF."""
        self.streaming = self.broken = False
        self._queued.clear()
        self.done.clear()
        for buffer in self._buffers:
            buffer.is_drivers = False

    def _fill(self, buffer: _Buffer, number: int) -> None:
        buffer.used = self._layout.plane_bytes
        if self.paints:
            pictures = self._layout.paint(number)
            buffer.used = [len(picture) for picture in pictures]
            for memory, picture in zip(buffer.planes, pictures, strict=True):
                memory[: len(picture)] = picture
        buffer.flags = self.stamp_flags
        if self.damage:
            self.damage -= 1
            buffer.flags |= _FLAG_ERROR
        if self.empty:
            self.empty -= 1
            buffer.used = [0] * len(buffer.planes)
        buffer.sequence = (self.first_sequence + number) & 0xFFFF_FFFF if self.numbers_frames else 0
        buffer.stamp_us = round((self._started_at + (number + 1) / self._fps + self.stamp_ahead_s) * 1e6)
        self.done.append(buffer)

    def _named(self, answer: Any) -> _Buffer:
        if answer.index >= len(self._buffers):
            self._blame()
        return self._buffers[int(answer.index)]

    def _blame(self) -> None:
        self.wrong_requests += 1
        raise error(errno.EINVAL)


class _Memory(bytearray):
    """Memory of which can be told when nobody holds it any more."""


class _Buffer:
    def __init__(self, index: int, sizes: list[int]) -> None:
        self.index = index
        self.planes = [_Memory(size) for size in sizes]
        self.used = [0] * len(sizes)
        self.is_drivers = False  # queued or filled, and not dequeued yet
        self.sequence = self.flags = self.stamp_us = 0


def error(number: int) -> OSError:
    """Make the exception that a system call raises."""
    return OSError(number, os.strerror(number))


def _is_multiplanar(buffer: Any) -> bool:
    return bool(buffer.type == 9)


def _write_plane(buffer: Any, at: int, used: int, length: int, offset: int) -> None:
    """Write into the table of planes that the program points to."""
    table = (ctypes.c_uint8 * _PLANE_BYTES).from_address(buffer.planes + at * _PLANE_BYTES)
    struct.pack_into("@IIPI", table, 0, used, length, offset, 0)
