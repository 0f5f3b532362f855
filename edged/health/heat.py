"""How much of the detector's time a temperature allows. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HeatCurve:
    """From a temperature to a share of the detector's time.

    All of it below `warn_c`, then a straight line down to `share_at_stop` at `stop_c`, and none from there on: a box
    that sees less is better than one that its firmware halts.
    """

    warn_c: float
    stop_c: float
    share_at_stop: float  # 0..1
    hysteresis_c: float

    def share(self, felt_c: float) -> float:
        """The share at a temperature as feel() gives it, 0..1."""
        if felt_c >= self.stop_c:
            return 0.0
        way = (felt_c - self.warn_c) / (self.stop_c - self.warn_c)
        return 1.0 - max(0.0, way) * (1.0 - self.share_at_stop)

    def feel(self, temp_c: float, felt_c: float | None) -> float:
        """The temperature to go by, given the last one: rises at once, and falls `hysteresis_c` later.

        Without this play the budget would hunt: less work cools, which brings more work, which heats.
        """
        return temp_c if felt_c is None else max(temp_c, min(felt_c, temp_c + self.hysteresis_c))


class Lasting:
    """Tells that something has been so for a while, and that it is over for a while. Flickers are passed over."""

    def __init__(self, *, begins_after_s: float, ends_after_s: float) -> None:
        self.is_on = False
        self.since = 0.0  # when it began; while it is over, when it had ended
        self._begins_after_s = begins_after_s
        self._ends_after_s = ends_after_s
        self._changed_at: float | None = None

    def begin(self, at: float) -> None:
        """Let it be on from `at`, however short it has been so."""
        self.is_on, self.since, self._changed_at = True, at, None

    def update(self, is_so: bool, at: float) -> bool:
        """Take in how it is at the monotonic instant `at`; True when `is_on` has just changed."""
        if is_so == self.is_on:
            self._changed_at = None
            return False
        if self._changed_at is None:
            self._changed_at = at
        if at - self._changed_at < (self._begins_after_s if is_so else self._ends_after_s):
            return False
        self.is_on, self.since, self._changed_at = is_so, self._changed_at, None
        return True
