"""The only module that starts a thread."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from edged.errors import EdgedError

log = logging.getLogger(__name__)


class Worker:
    """A thread with a name, a stop event, and an end that somebody hears of.

    `loop` gets the stop event and returns soon after it is set, or earlier when its work is done. Whatever it raises is
    kept in `error`. `on_end` is called on the thread itself, once, when it is about to end for whatever reason.
    """

    def __init__(self, name: str, loop: Callable[[threading.Event], None], *, on_end: Callable[[], None]) -> None:
        self.name = name
        self.error: BaseException | None = None
        self._loop = loop
        self._on_end = on_end
        self._stop = threading.Event()
        # A daemon thread, so that one hung in a driver cannot keep the process from ending: join() tells of it.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def ask_to_stop(self) -> None:
        """Set the stop event and return at once."""
        self._stop.set()

    def join(self, timeout_s: float) -> bool:
        """Wait for the end; False when it has not come within `timeout_s` seconds."""
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    @property
    def running(self) -> bool:
        """Started, and not ended yet."""
        return self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._loop(self._stop)
        except BaseException as error:  # the thread's top: kept for the supervisor, who ends the process
            self.error = error
            if not isinstance(error, EdgedError):
                log.critical("the %s thread failed", self.name, exc_info=error)
        finally:
            self._on_end()
