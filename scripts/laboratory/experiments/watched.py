"""A source that notes when something happened to it, and what a process holds."""

from __future__ import annotations

import ctypes
import threading
from dataclasses import dataclass, field
from pathlib import Path

from edged.clock import Clock
from edged.domain.frame import Frame
from edged.domain.health import SourceStats
from edged.errors import SourceError
from edged.ports import Source


@dataclass
class Notes:
    """Instants of the monotonic clock, in order; filled by the capture thread and read when it is quiet."""

    frames: list[float] = field(default_factory=list)  # given to the feeder
    failures: list[tuple[float, str]] = field(default_factory=list)  # raised to the feeder, by the error's name
    refused: list[float] = field(default_factory=list)  # failed to open
    damaged: list[float] = field(default_factory=list)  # frames counted as corrupt
    closed: list[float] = field(default_factory=list)  # given up by the feeder, for whatever reason


class WatchedSource:
    """Passes everything through to `source` and notes it down."""

    def __init__(self, source: Source, clock: Clock) -> None:
        self.notes = Notes()
        self._source = source
        self._clock = clock
        self._corrupt = 0

    @property
    def stats(self) -> SourceStats:
        """Those of the source."""
        return self._source.stats

    def open(self) -> None:
        """Open the source."""
        try:
            self._source.open()
        except SourceError as error:
            self._note_failure(error)
            self.notes.refused.append(self._clock.monotonic())
            raise

    def read(self, timeout_s: float) -> Frame | None:
        """Read the source."""
        try:
            frame = self._source.read(timeout_s)
        except SourceError as error:
            self._note_failure(error)
            raise
        finally:
            if self._source.stats.corrupt > self._corrupt:
                self._corrupt = self._source.stats.corrupt
                self.notes.damaged.append(self._clock.monotonic())
        if frame is not None:
            self.notes.frames.append(self._clock.monotonic())
        return frame

    def close(self) -> None:
        """Close the source."""
        self.notes.closed.append(self._clock.monotonic())
        self._source.close()

    def frame_count(self) -> int | None:
        """Ask the source."""
        return self._source.frame_count()

    def _note_failure(self, error: SourceError) -> None:
        self.notes.failures.append((self._clock.monotonic(), type(error).__name__))


def without_huge_pages() -> None:
    """Let this process grow by what it asks for: the kernel may give 2 MiB in one step where some pages were in use.

    prctl(2), PR_SET_THP_DISABLE of include/uapi/linux/prctl.h.
    """
    if ctypes.CDLL(None, use_errno=True).prctl(41, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "huge pages cannot be switched off")


@dataclass(frozen=True)
class Holdings:
    """What a process holds that a reader of cameras could leak."""

    files: int
    device_maps: int
    threads: int
    resident_kb: int

    @classmethod
    def now(cls) -> Holdings:
        """Count them for this process."""
        maps = Path("/proc/self/maps").read_text().splitlines()
        status = Path("/proc/self/status").read_text().splitlines()
        resident = next(line for line in status if line.startswith("RssAnon:"))  # pages of libraries come and go
        return cls(
            files=len(list(Path("/proc/self/fd").iterdir())),
            device_maps=sum("/dev/video" in line for line in maps),
            threads=threading.active_count(),
            resident_kb=int(resident.split()[1]),
        )
