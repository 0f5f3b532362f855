"""When a frame from the network was taken, in this machine's time.

A frame's time stamp tells its distance to others well but counts from anywhere; its arrival is in our time but late by
whatever the network felt like. The smallest delay seen lately is taken for the delay of all.
"""

from __future__ import annotations

import math

MIN_STEP_S = 1e-4  # closer than this is not after
WINDOW_S = 10.0  # how long a smallest delay is believed: clocks drift, and routes change
JUMP_S = 5.0  # stamps that differ from the arrivals by more than this begin a new time line


class ArrivalTime:
    """Turns presentation stamps and arrivals into instants of capture, strictly increasing and never in the future."""

    def __init__(self) -> None:
        self._offset_s = 0.0  # the smallest arrival minus stamp of the window before this one
        self._next_offset_s = 0.0  # … of this window
        self._window_ends_at: float | None = None
        self._last_stamp_s = math.inf
        self._last_at = -math.inf

    def place(self, stamp_s: float | None, arrived_at: float) -> float:
        """Place the next frame, which came at the monotonic instant `arrived_at`, stamped `stamp_s` if at all."""
        at = arrived_at
        if stamp_s is not None:
            if stamp_s <= self._last_stamp_s:  # pictures come in order: this is another time line
                self._window_ends_at = None
            self._last_stamp_s = stamp_s
            at = min(arrived_at, stamp_s + self._delay_s(arrived_at - stamp_s, arrived_at))
        self._last_at = max(at, self._last_at + MIN_STEP_S)
        return self._last_at

    def _delay_s(self, delay_s: float, arrived_at: float) -> float:
        if self._window_ends_at is None or abs(delay_s - self._offset_s) > JUMP_S:
            self._offset_s = self._next_offset_s = delay_s
            self._window_ends_at = arrived_at + WINDOW_S
        elif arrived_at >= self._window_ends_at:
            self._offset_s, self._next_offset_s = self._next_offset_s, delay_s
            self._window_ends_at = arrived_at + WINDOW_S
        self._offset_s = min(self._offset_s, delay_s)
        self._next_offset_s = min(self._next_offset_s, delay_s)
        return self._offset_s
