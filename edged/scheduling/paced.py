"""Keep to a budget: when the box is hot or short of power, the detector runs a share of what it would."""

from __future__ import annotations

import math

from edged.domain.frame import Frame
from edged.domain.tracks import Tracks
from edged.ports import Expect, InferenceBudget, Scheduler

_SAME_S = 1e-6  # instants are floats
_PATIENCE_S = 2.0  # objects that stay so long must be seen, in whatever heat; and a camera so quiet heats nothing


class Paced:
    """A policy that is held back by the budget; implements edged.ports.Scheduler.

    At a share of 0.5 the time from one look to the next doubles, at 0.2 it is five times as long. The policy's own
    wish sets the pace, so a quiet camera is not slowed: a wish that comes two seconds or more after the last look is
    granted at once. At 0 nothing is.
    """

    def __init__(self, policy: Scheduler, budget: InferenceBudget) -> None:
        self._policy = policy
        self._budget = budget
        self._looked_at = self._paid_at = -math.inf
        self._wished_at = math.inf
        self._pause_s = 0.0  # from one look to the next; what of it a whole frame was too long counts for the next

    def need(self, frame: Frame, at: float, expect: Expect, *, due: bool) -> float:
        """Ask the policy, and grant it what the budget allows."""
        need, share = self._policy.need(frame, at, expect, due=due), self._budget.share()
        if need < 1:
            self._wished_at = math.inf
            return need
        self._wished_at = min(self._wished_at, at)
        return need if share > 0 and self._is_paid(at, share) else 0.0

    def looked(self, found: Tracks) -> None:
        """Tell the policy, and begin the next pause."""
        self._paid_at += self._pause_s
        if not found.at - self._pause_s < self._paid_at <= found.at:
            self._paid_at = found.at  # there is no saving up
        self._pause_s = 0.0
        self._looked_at, self._wished_at = found.at, math.inf
        self._policy.looked(found)

    def _is_paid(self, at: float, share: float) -> bool:
        if not math.isfinite(self._looked_at):
            return True
        wished_after_s = self._wished_at - self._looked_at
        self._pause_s = min(wished_after_s / share, max(wished_after_s, _PATIENCE_S))
        return at >= self._paid_at + self._pause_s - _SAME_S
