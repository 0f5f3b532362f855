"""Ctrl-C, SIGTERM and a closed terminal mean a clean end, from a command's first moment on."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopSignals:
    """Catches these signals inside a `with` statement. One that came before there was anything to stop is not lost."""

    def __init__(self) -> None:
        self._asked = False
        self._request_stop: Callable[[], None] | None = None
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> StopSignals:
        self._before = {number: signal.signal(number, self._stop) for number in _STOPPING}
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

    def _stop(self, number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a second Ctrl-C does not wait
        self._asked = True
        if self._request_stop is not None:
            self._request_stop()
