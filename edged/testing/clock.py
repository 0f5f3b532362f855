"""A clock that the test winds."""

from __future__ import annotations

import threading


class FakeClock:
    """Stands still until told; waiting moves it on at once."""

    def __init__(self, *, monotonic: float = 1000.0, wall: float = 1_700_000_000.0, boot_id: str = "boot-1") -> None:
        self.is_synchronised: bool | None = True
        self._monotonic = monotonic
        self._wall = wall
        self._boot_id = boot_id

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._monotonic += seconds
        self._wall += seconds

    def jump_wall(self, seconds: float) -> None:
        """Set the wall clock forward or back, as a time server would."""
        self._wall += seconds

    def monotonic(self) -> float:
        return self._monotonic

    def wall(self) -> float:
        return self._wall

    def wait(self, stop: threading.Event, timeout_s: float) -> bool:
        if not stop.is_set():
            self.advance(timeout_s)
        return stop.is_set()

    def synchronised(self) -> bool | None:
        return self.is_synchronised

    def boot_id(self) -> str:
        return self._boot_id
