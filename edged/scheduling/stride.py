"""Detect on a fixed share of the frames: the plain yardstick for cleverer schedules."""

from __future__ import annotations

import math

from edged.domain.frame import Frame
from edged.domain.tracks import Tracks
from edged.ports import Expect


class Stride:
    """The first frame, and every `every`-th after one that was looked at; implements edged.ports.Scheduler."""

    def __init__(self, every: int) -> None:
        """Detect on 1 of `every` frames. Raises ValueError when `every` is below 1."""
        if every < 1:
            raise ValueError(f"every is {every}: it must be 1 (detect on each frame) or more")
        self._every = every
        self._frames = math.inf  # since the last look

    def need(self, frame: Frame, at: float, expect: Expect, *, due: bool) -> float:
        """Count the frames; what is on them does not matter."""
        self._frames += 1
        return self._frames / self._every

    def looked(self, found: Tracks) -> None:
        """Count from here."""
        self._frames = 0
