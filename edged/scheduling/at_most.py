"""Look at no more than one of so many frames, whatever a policy wishes."""

from __future__ import annotations

import math

from edged.domain.frame import Frame
from edged.domain.tracks import Tracks
from edged.ports import Expect, Scheduler


class AtMost:
    """A policy that must let `every` - 1 frames pass after each look; implements edged.ports.Scheduler."""

    def __init__(self, policy: Scheduler, every: int) -> None:
        self._policy = policy
        self._every = every
        self._frames = math.inf  # since the last look

    def need(self, frame: Frame, at: float, expect: Expect, *, due: bool) -> float:
        """Ask the policy, and let it wait."""
        self._frames += 1
        need = self._policy.need(frame, at, expect, due=due)
        return need if self._frames >= self._every else 0.0

    def looked(self, found: Tracks) -> None:
        """Count from here."""
        self._frames = 0
        self._policy.looked(found)
