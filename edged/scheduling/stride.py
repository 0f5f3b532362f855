"""Detect on a fixed share of the frames: the plain yardstick for cleverer schedules."""

from __future__ import annotations

from edged.domain.scheduling import Decision
from edged.domain.tracks import Tracks


class Stride:
    """DETECT on the first frame and on every `every`-th after it; implements edged.ports.Scheduler."""

    def __init__(self, every: int) -> None:
        """Detect on 1 of `every` frames. Raises ValueError when `every` is below 1."""
        if every < 1:
            raise ValueError(f"every is {every}: it must be 1 (detect on each frame) or more")
        self._every = every
        self._frames = 0

    def decide(self, at: float, tracks: Tracks) -> Decision:
        """Count the frames; what is on them does not matter."""
        turn = self._frames % self._every
        self._frames = turn + 1
        return Decision.PREDICT if turn else Decision.DETECT
