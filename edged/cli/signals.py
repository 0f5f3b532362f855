"""Ctrl-C, SIGTERM and a closed terminal mean a clean end, from a command's first moment on."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def has_terminal() -> bool:
    """Whether this process belongs to a terminal, whose end comes as SIGHUP. A service does not."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True


def pass_over_early_reload() -> None:
    """Let SIGHUP not end a service before StopSignals is there: what is to be read again has not been read yet."""
    if not has_terminal():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)


class StopSignals:
    """Catches these signals inside a `with` statement. One that came before there was anything to stop is not lost."""

    def __init__(self, *, reload: bool = False) -> None:
        """`reload`: SIGHUP is no end, but asks for the configuration to be read again."""
        self._reload = reload
        self._reload_asked = False
        self._request_reload: Callable[[], None] | None = None
        self._asked = False
        self._request_stop: Callable[[], None] | None = None
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> StopSignals:
        self._before = {number: signal.signal(number, self._stop) for number in _STOPPING}
        if self._reload:
            signal.signal(signal.SIGHUP, self._read_again)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def stop_with(self, request_stop: Callable[[], None]) -> None:
        """Call this at the first signal; at once, when it came already. It must be safe in a signal handler."""
        self._request_stop = request_stop
        if self._asked:
            request_stop()

    def reload_with(self, request_reload: Callable[[], None]) -> None:
        """Call this at each SIGHUP; at once, when one came already. It must be safe in a signal handler."""
        self._request_reload = request_reload
        if self._reload_asked:
            request_reload()

    def _read_again(self, number: int, frame: FrameType | None) -> None:
        self._reload_asked = True
        if self._request_reload is not None:
            self._request_reload()

    def _stop(self, number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a second Ctrl-C does not wait
        self._asked = True
        if self._request_stop is not None:
            self._request_stop()
