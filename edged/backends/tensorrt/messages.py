"""What TensorRT says, kept: its calls answer None or False, and the reason is in the log alone.

TensorRT speaks to one logger a process, the first that it is given, whatever later objects are made with, and that one
must outlive them all. So there is one.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

log = logging.getLogger(__name__)

_LEVELS = {"VERBOSE": logging.NOTSET, "INFO": logging.DEBUG, "WARNING": logging.INFO}


class Messages:
    """The last errors, and a listener for every line, by which a builder without progress shows that it lives."""

    def __init__(self, trt: Any) -> None:
        """Make the logger for the module `trt`; messages_of() does so once."""
        self.logger: Any = _make_logger(trt, self.take)
        self._on_line: Callable[[], None] | None = None
        self._errors: deque[str] = deque(maxlen=8)

    @contextmanager
    def heard_by(self, on_line: Callable[[], None]) -> Iterator[None]:
        """Call `on_line` with every line in the meantime, also those that are not logged."""
        self._on_line = on_line
        try:
            yield
        finally:
            self._on_line = None

    def take(self, severity: str, text: str) -> None:
        """Take one line. `severity` is TensorRT's own word."""
        if severity in ("ERROR", "INTERNAL_ERROR"):
            self._errors.append(text)
        level = _LEVELS.get(severity, logging.ERROR)
        if level:
            log.log(level, "TensorRT: %s", text)
        on_line = self._on_line
        if on_line is not None:
            on_line()

    def clear(self) -> None:
        """Forget what was said."""
        self._errors.clear()

    def reason(self) -> str:
        """Return the last errors in one line."""
        return " | ".join(self._errors) or "it gave no reason"

    def is_about_memory(self) -> bool:
        """Was one of the errors that the GPU's memory is exhausted?"""
        return any(word in self.reason().lower() for word in ("out of memory", "outofmemory", "insufficient memory"))


_by_module: dict[Any, Messages] = {}

_making = Lock()


def messages_of(trt: Any) -> Messages:
    """Return the messages of the module, which all its objects share."""
    with _making:
        if trt not in _by_module:
            _by_module[trt] = Messages(trt)
        return _by_module[trt]


def _make_logger(trt: Any, take: Callable[[str, str], None]) -> Any:
    class Logger(trt.ILogger):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.ILogger.__init__(self)

        def log(self, severity: Any, text: str) -> None:
            take(severity.name, text)

    return Logger()
