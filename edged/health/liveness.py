"""Judges from the marks of the workers whether the daemon makes progress, and tells systemd so long as it does.

The main thread asks once a second. No thread of its own: one that sleeps and pings keeps a hung program alive.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable

from edged.clock import Clock
from edged.domain.pulse import Pulse, Task
from edged.errors import DaemonHung
from edged.health.stacks import LastResort, all_stacks, thread_names
from edged.ports import Notifier

log = logging.getLogger(__name__)

_LEAP_S = 5.0
"""Between two looks at most so much counts as time that a worker had: after a SIGSTOP, or on a machine that stood
still, all of them are late and none hangs."""

_REARM_EVERY_S = 5.0
_STOP_GOES_ON_WITHIN_S = 30.0  # as TimeoutStopSec of the unit


class Judge:
    """Finds a task that takes longer than it may. Belongs to one thread."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._looked_at = clock.monotonic()
        self._lived_s = 0.0  # the time that workers had, by the looks at them
        self._seen: dict[Pulse, tuple[Task, float]] = {}

    def look(self, pulses: Iterable[Pulse]) -> str | None:
        """Say which worker hangs, and at what; None when none does. A task is as old as the first look at it."""
        now = self._clock.monotonic()
        self._lived_s += min(now - self._looked_at, _LEAP_S)
        self._looked_at = now
        before, self._seen = self._seen, {}
        late = None
        for pulse in pulses:
            task = pulse.task
            seen_task, since_s = before.get(pulse, (None, 0.0))
            since_s = since_s if seen_task is task else self._lived_s
            self._seen[pulse] = task, since_s
            if self._lived_s - since_s > task.within_s:
                late = late or f"the {pulse.worker} thread has been {task.what} for more than {task.within_s:g} s"
        return late


class Liveness:
    """Pings, or ends the daemon. Belongs to the main thread."""

    def __init__(
        self,
        pulses: Callable[[], Iterable[Pulse]],
        *,
        notifier: Notifier,
        clock: Clock,
        last_resort: LastResort | None = None,
    ) -> None:
        """`pulses` gives those of the workers that there are now."""
        self._pulses = pulses
        self._notifier = notifier
        self._clock = clock
        self._last_resort = last_resort
        self._judge = Judge(clock=clock)
        self._ping_every_s = (notifier.watchdog_s or math.inf) / 2
        self._ping_at = self._rearm_at = -math.inf
        self._is_ready = self._is_stopping = False

    @property
    def look_every_s(self) -> float:
        """How often check() is to be called, at least."""
        return min(1.0, self._ping_every_s)

    def check(self) -> None:
        """Judge all workers. Raises DaemonHung, with all stacks in the log, when one hangs."""
        hang = self._judge.look(self._pulses())
        if hang is not None:
            log.critical("%s; all threads:\n%s", hang, all_stacks())
            raise DaemonHung(
                f"{hang[0].upper()}{hang[1:]}.",
                hint="It is to be started again. If this repeats, the stacks in the log show where; see `dmesg` too.",
            )
        if not self._is_ready:
            self._is_ready = True
            self._notifier.ready()
            log.info("threads: %s", thread_names())
        self._ping(self._clock.monotonic())

    def stop_goes_on(self) -> None:
        """Tell that a clean end has begun, or makes progress; it may take a while, but not for ever."""
        if not self._is_stopping:
            self._is_stopping = True
            self._notifier.stopping()
        self._notifier.extend_timeout(_STOP_GOES_ON_WITHIN_S)
        if self._last_resort is not None:
            self._last_resort.rearm()

    def end(self) -> None:
        """Nobody watches any more."""
        if self._last_resort is not None:
            self._last_resort.disarm()

    def _ping(self, now: float) -> None:
        if now >= self._ping_at:
            self._ping_at = now + self._ping_every_s
            self._notifier.alive()
        if self._last_resort is not None and now >= self._rearm_at:
            self._rearm_at = now + _REARM_EVERY_S
            self._last_resort.rearm()
