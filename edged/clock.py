"""The only place that asks the operating system for the time.

Instants named `at` are seconds of the monotonic clock, which never jumps; it is what tracks and events are reckoned
in. Wall-clock time is for people: a box without a battery-backed clock boots in the past and jumps when the network
comes. So an event stores both, and the boot in which its monotonic time counts.
"""

from __future__ import annotations

import ctypes
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    """What the rest of edged knows of time."""

    def monotonic(self) -> float:
        """Seconds since some fixed point in this boot. Never goes back."""
        ...

    def wall(self) -> float:
        """Seconds since 1970-01-01 UTC. May jump either way."""
        ...

    def wait(self, stop: threading.Event, timeout_s: float) -> bool:
        """Sleep until `stop` is set or `timeout_s` seconds have passed; True when stopped."""
        ...

    def boot_id(self) -> str:
        """Name this boot of the machine."""
        ...

    def synchronised(self) -> bool | None:
        """Whether the wall clock follows a time server or another true clock; None when nobody may ask."""
        ...


def wall_at(clock: Clock, at: float) -> float:
    """Translate the monotonic instant `at` into wall-clock seconds, by the clock as it stands now."""
    return clock.wall() + (at - clock.monotonic())


_TIME_ERROR = 5  # linux/timex.h: the clock is not synchronised
_TIMEX_BYTES = 512  # struct timex has 208 at most; a zero in `modes`, its first field, only asks


def adjtimex() -> int:
    """The state of the wall clock, 0 to 5 by linux/timex.h; -1 when the kernel does not say, as in a sandbox."""
    try:
        return int(ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES)))
    except (OSError, AttributeError):  # a C library without it
        return -1


class SystemClock:
    """The machine's own clock."""

    def __init__(
        self,
        *,
        ask_kernel: Callable[[], int] = adjtimex,
        timesync: Path = Path("/run/systemd/timesync"),
    ) -> None:
        self._ask_kernel = ask_kernel
        self._timesync = timesync
        try:
            self._boot_id = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        except OSError:  # not Linux, or a sandbox without /proc: each process counts as a boot of its own
            self._boot_id = str(uuid.uuid4())

    def monotonic(self) -> float:
        return time.monotonic()

    def wall(self) -> float:
        return time.time()

    def wait(self, stop: threading.Event, timeout_s: float) -> bool:
        return stop.wait(timeout_s)

    def boot_id(self) -> str:
        return self._boot_id

    def synchronised(self) -> bool | None:
        """See Clock.

        adjtimex(2) knows of every time server; where a sandbox forbids it, systemd's own leaves a file.
        """
        state = self._ask_kernel()
        if state >= 0:
            return state != _TIME_ERROR
        return (self._timesync / "synchronized").exists() if self._timesync.exists() else None
