"""What TensorRT says, kept: its calls answer None or False, and the reason is in the log alone."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import Any

log = logging.getLogger(__name__)


class Messages:
    """The last errors, and a listener for every line, by which a builder without progress shows that it lives."""

    def __init__(self, on_line: Callable[[], None] | None = None) -> None:
        """Call `on_line` with every line, also those that are not logged."""
        self._on_line = on_line
        self._errors: deque[str] = deque(maxlen=8)

    def take(self, severity: str, text: str) -> None:
        """Take one line. `severity` is TensorRT's own word."""
        if severity in ("ERROR", "INTERNAL_ERROR"):
            self._errors.append(text)
        level = {"VERBOSE": logging.NOTSET, "INFO": logging.DEBUG, "WARNING": logging.INFO}.get(severity, logging.ERROR)
        if level:
            log.log(level, "TensorRT: %s", text)
        if self._on_line is not None:
            self._on_line()

    def clear(self) -> None:
        """Forget what was said."""
        self._errors.clear()

    def reason(self) -> str:
        """Return the last errors in one line."""
        return " | ".join(self._errors) or "it gave no reason"

    def is_about_memory(self) -> bool:
        """Was one of the errors that the GPU's memory is exhausted?"""
        return any(word in self.reason().lower() for word in ("out of memory", "outofmemory", "insufficient memory"))


def make_logger(trt: Any, messages: Messages) -> Any:
    """Make the logger that TensorRT's classes ask for. It must live as long as they do."""

    class Logger(trt.ILogger):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.ILogger.__init__(self)

        def log(self, severity: Any, text: str) -> None:
            messages.take(severity.name, text)

    return Logger()
