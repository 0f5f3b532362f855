"""What a machine draws while it works, beside what it draws at rest."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from edged.clock import Clock
from edged.domain.machine import Watts

_READ_EVERY_S = 0.25
_REST_READINGS = 8


@dataclass(frozen=True, slots=True)
class Draw:
    """Two means of one sensor."""

    rest_w: float
    busy_w: float
    source: str  # as in Watts

    def energy_j(self, busy_s: float) -> float:
        """What so many seconds of work take above rest, in joules."""
        return (self.busy_w - self.rest_w) * busy_s


class PowerMeter:
    """Means of what `read` tells, at rest and then at work."""

    def __init__(self, read: Callable[[], Watts | None], *, clock: Clock) -> None:
        self._read = read
        self._clock = clock
        self._rest = _Mean()
        self._busy = _Mean()

    def rest(self) -> bool:
        """Watch the machine for two seconds in which nothing is asked of it; False at once where nobody tells."""
        self._read()  # an energy counter tells what was used since the reading before
        never = threading.Event()
        for _ in range(_REST_READINGS):
            self._clock.wait(never, _READ_EVERY_S)
            if not self._rest.add(self._read()):
                return False
        return True

    def work(self, stop: threading.Event) -> None:
        """Watch it at work, until `stop` is set; a loop for a thread of its own."""
        self._read()
        stopped = False
        while not stopped:
            stopped = self._clock.wait(stop, _READ_EVERY_S)
            self._busy.add(self._read())

    def draw(self) -> Draw | None:
        """Return both means; None when either is unknown, or the sensor sees no work in the difference."""
        rest_w, busy_w = self._rest.power_w, self._busy.power_w
        if rest_w is None or busy_w is None or busy_w <= rest_w:
            return None
        return Draw(rest_w, busy_w, self._busy.source)


class _Mean:
    def __init__(self) -> None:
        self.source = ""
        self._sum_w = 0.0
        self._count = 0

    def add(self, reading: Watts | None) -> bool:
        if reading is not None:
            self.source = reading.source
            self._sum_w += reading.power_w
            self._count += 1
        return reading is not None

    @property
    def power_w(self) -> float | None:
        return self._sum_w / self._count if self._count else None
