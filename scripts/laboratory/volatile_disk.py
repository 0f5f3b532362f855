"""A disk with a volatile write cache, as SD cards, USB sticks and most SSDs have one.

What was written since the last flush may be on the medium or not, each write by itself and in any order, and one that
was under way may be torn between two sectors of 512 bytes. A disk that is flushed keeps what it was given.
"""

from __future__ import annotations

import errno
import os
import random
import threading
import time
from dataclasses import dataclass

_SECTOR_BYTES = 512
_TORN_SHARE = 0.3  # of the writes that reach the medium


@dataclass(frozen=True)
class Remains:
    """What a cut of power left."""

    image: bytearray
    cut_at: float  # monotonic seconds
    unflushed: int  # writes in the cache at that moment


class VolatileDisk:
    """Holds its content in memory. All methods may be called from any thread."""

    def __init__(self, image: bytes) -> None:
        self.size_bytes = len(image)
        self.writes = 0
        self.written_bytes = 0
        self.flushes = 0
        self.fails = False
        """Whether writes and flushes raise OSError from now on, as those of a dying card do."""
        self._seen = bytearray(image)  # what a reader gets: the medium with the cache over it
        self._medium = bytearray(image)
        self._cache: list[tuple[int, bytes]] = []
        self._lock = threading.Lock()
        self._cut_at_write = 0
        self._was_cut = threading.Event()
        self._taken: tuple[float, bytearray, list[tuple[int, bytes]]] = (0.0, bytearray(), [])

    def read(self, offset: int, count: int) -> bytes:
        """Return the bytes as they were written last."""
        with self._lock:
            return bytes(self._seen[offset : offset + count])

    def write(self, offset: int, data: bytes) -> None:
        """Take bytes into the cache. Raises OSError while it fails."""
        self._refuse_if_it_fails()
        with self._lock:
            self._seen[offset : offset + len(data)] = data
            self._cache.append((offset, data))
            self.writes += 1
            self.written_bytes += len(data)
            if self.writes == self._cut_at_write:
                self._cut()

    def flush(self) -> None:
        """Bring the cache to the medium. Raises OSError while it fails."""
        self._refuse_if_it_fails()
        with self._lock:
            for offset, data in self._cache:
                self._medium[offset : offset + len(data)] = data
            self._cache.clear()
            self.flushes += 1

    def _refuse_if_it_fails(self) -> None:
        if self.fails:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    def cut_power(self, chance: random.Random, *, writes_max: int, within_s: float) -> Remains:
        """Cut the power at one of the next `writes_max` writes, or after `within_s` seconds at the latest.

        The disk itself goes on, so that the next cut needs no new start.
        """
        with self._lock:
            self._cut_at_write = self.writes + chance.randint(1, writes_max)
            self._was_cut.clear()
        if not self._was_cut.wait(within_s):
            with self._lock:
                self._cut()
        cut_at, image, cache = self._taken
        kept_share = chance.random()
        for offset, data in cache:
            if chance.random() < kept_share:
                _reach(image, offset, data, chance)
        return Remains(image, cut_at, len(cache))

    def _cut(self) -> None:
        """Keep the state as it is now, unless it was kept already."""
        if not self._was_cut.is_set():
            self._taken = time.monotonic(), bytearray(self._medium), list(self._cache)
            self._cut_at_write = 0
            self._was_cut.set()


def _reach(image: bytearray, offset: int, data: bytes, chance: random.Random) -> None:
    """Let a write reach the medium, wholly or torn."""
    is_torn = chance.random() < _TORN_SHARE
    for start in range(0, len(data), _SECTOR_BYTES):
        if not is_torn or chance.random() < 0.5:
            sector = data[start : start + _SECTOR_BYTES]
            image[offset + start : offset + start + len(sector)] = sector
