"""Tells how far a build is: it takes minutes, and who waits (a person, systemd) wants to know that it lives."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from edged.clock import Clock

LEAST_PAUSE_S = 5.0


@dataclass(frozen=True, slots=True)
class BuildProgress:
    """Where the builder is."""

    step: str  # the builder's own word, or "building"
    done: int
    total: int  # 0 when the builder does not say

    def __str__(self) -> str:
        """Say it for a screen."""
        return f"{self.step} {self.done}/{self.total}" if self.total else self.step


OnProgress = Callable[[BuildProgress], None]


class ProgressTeller:
    """Passes progress on, at most every five seconds: the builder takes thousands of steps."""

    def __init__(self, on_progress: OnProgress, clock: Clock) -> None:
        """Tell `on_progress`."""
        self._on_progress = on_progress
        self._clock = clock
        self._told_at: float | None = None
        self._telling = threading.Lock()

    def alive(self) -> None:
        """Say that something happens, though not what."""
        self.tell(BuildProgress("building", 0, 0))

    def tell(self, progress: BuildProgress) -> None:
        """Say how far it is."""
        if not self._telling.acquire(blocking=False):  # the builder has threads of its own
            return
        try:
            now = self._clock.monotonic()
            if self._told_at is None or now - self._told_at >= LEAST_PAUSE_S:
                self._told_at = now
                self._on_progress(progress)
        finally:
            self._telling.release()


def make_monitor(trt: Any, teller: ProgressTeller) -> Any:
    """Make TensorRT's own progress monitor (from 10 on). It must live as long as the build."""

    class Monitor(trt.IProgressMonitor):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)
            self._totals: dict[str, int] = {}

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            self._totals[phase_name] = num_steps
            teller.tell(BuildProgress(phase_name, 0, num_steps))

        def step_complete(self, phase_name: str, step: int) -> bool:
            teller.tell(BuildProgress(phase_name, step + 1, self._totals.get(phase_name, 0)))
            return True  # False would cancel the build

        def phase_finish(self, phase_name: str) -> None:
            self._totals.pop(phase_name, None)

    return Monitor()
