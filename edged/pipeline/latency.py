"""How long the detector takes."""

from __future__ import annotations

from collections import deque

from edged.domain.quantile import quantile

_REMEMBERED = 512


class Latency:
    """The last few hundred durations, and their percentiles."""

    def __init__(self) -> None:
        self._seconds: deque[float] = deque(maxlen=_REMEMBERED)

    def add(self, seconds: float) -> None:
        """Remember one duration."""
        self._seconds.append(seconds)

    def percentile_ms(self, percent: float) -> float | None:
        """The given percentile in milliseconds; None before the first duration."""
        if not self._seconds:
            return None
        return 1000 * quantile(self._seconds, percent / 100)
