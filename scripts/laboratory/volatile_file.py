"""A file as a disk with a volatile write cache: what volatile_disk.py is, for a disk too large to be held in memory.

A reader sees every write at once. When the power is cut, each write since the last flush may be undone, wholly or in
part; what was flushed stays.
"""

from __future__ import annotations

import os
import random
import threading
from pathlib import Path

_SECTOR_BYTES = 512
_TORN_SHARE = 0.3  # of the writes that are undone: only some of their sectors are


class VolatileFile:
    """Serves a raw image. All methods may be called from any thread."""

    def __init__(self, path: Path) -> None:
        self.size_bytes = path.stat().st_size
        self.flushes = 0
        self._file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        self._before: list[tuple[int, bytes]] = []  # what each unflushed write wrote over, in their order
        self._lock = threading.Lock()

    def read(self, offset: int, count: int) -> bytes:
        """Return the bytes as they were written last."""
        with self._lock:
            return os.pread(self._file, count, offset)

    def write(self, offset: int, data: bytes) -> None:
        """Take bytes into the cache."""
        with self._lock:
            self._before.append((offset, os.pread(self._file, len(data), offset)))
            os.pwrite(self._file, data, offset)

    def flush(self) -> None:
        """Let what was written stay."""
        with self._lock:
            self._before.clear()
            self.flushes += 1

    def lose_power(self, chance: random.Random) -> int:
        """Undo some of the writes since the last flush, and return how many there were; nobody may use it meanwhile."""
        with self._lock:
            unflushed, self._before = self._before, []
            after = [os.pread(self._file, len(old), offset) for offset, old in unflushed]
            for offset, old in reversed(unflushed):
                os.pwrite(self._file, old, offset)
            kept_share = chance.random()
            for (offset, old), new in zip(unflushed, after, strict=True):
                if chance.random() < kept_share:
                    os.pwrite(self._file, _torn(old, new, chance) if chance.random() < _TORN_SHARE else new, offset)
            return len(unflushed)

    def close(self) -> None:
        """Close the file, with all that was written in it."""
        os.close(self._file)


def _torn(old: bytes, new: bytes, chance: random.Random) -> bytes:
    """Mix the sectors of both."""
    starts = range(0, len(new), _SECTOR_BYTES)
    return b"".join((new if chance.random() < 0.5 else old)[start : start + _SECTOR_BYTES] for start in starts)
