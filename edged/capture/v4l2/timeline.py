"""Numbers and instants of a camera's frames, out of what its driver tells of them."""

from __future__ import annotations

import math

from edged.capture.v4l2 import abi
from edged.domain.health import SourceStats

_BACKWARDS = 1 << 31  # of 32-bit numbers: a larger step forward is one back


class Timeline:
    """Follows one run of a camera."""

    def __init__(self, started_at: float, stats: SourceStats) -> None:
        """`started_at` is the monotonic instant before which no frame can have been taken.

        Frames that the driver numbered and never gave are counted in `stats.missed`.
        """
        self._stats = stats
        self._started_at = started_at
        self._seq = -1
        self._began_with_leftover = False
        self._sequence = 0
        self._last_at = started_at

    def number(self, sequence: int, seconds: int, microseconds: int) -> int:
        """Return the frame's number from 0, frames that were lost on the way counted.

        `sequence` is the driver's own number: 32 bits that wrap. Some drivers leave it at 0, and some begin anew. A
        first frame that was stamped before the start was left over from an earlier run, and its number is worth
        nothing (v4l2loopback calls it 0, and the next one what its producer counts).
        """
        step = (sequence - self._sequence) & 0xFFFF_FFFF
        self._sequence = sequence
        if self._seq < 1:  # the first frame, or the one after it
            if self._seq < 0:
                self._began_with_leftover = seconds + microseconds * 1e-6 < self._started_at
                step = 1
            elif self._began_with_leftover:
                step = 1
        if step == 0 or step >= _BACKWARDS:
            step = 1
        self._stats.missed += step - 1
        self._seq += step
        return self._seq

    def instant(self, flags: int, seconds: int, microseconds: int, now: float) -> float:
        """Return the monotonic instant of capture, later than the one before.

        The driver's stamp is believed if it counts on the monotonic clock and lies between the frame before and `now`.
        Some drivers stamp up to a frame ahead, and webcams may jump about.
        """
        at = seconds + microseconds * 1e-6
        told = flags & abi.BUF_FLAG_TIMESTAMP_MASK == abi.BUF_FLAG_TIMESTAMP_MONOTONIC
        if not (told and self._last_at < at <= now):
            at = now if now > self._last_at else math.nextafter(self._last_at, math.inf)
        self._last_at = at
        return at
