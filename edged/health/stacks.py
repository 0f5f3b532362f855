"""Where every thread of this process is: for the journal, before a hang is ended."""

from __future__ import annotations

import faulthandler
import sys
import threading
import traceback


def all_stacks() -> str:
    """Return the stack of each thread of Python, by its name, innermost call last."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    parts = []
    for ident, frame in sys._current_frames().items():
        lines = "".join(traceback.format_stack(frame)).rstrip()
        parts.append(f"thread {names.get(ident, ident)}:\n{lines}")
    return "\n".join(parts)


def thread_names() -> str:
    """Return each thread's name and the number by which faulthandler calls it: until Python 3.14 it knows no names."""
    return ", ".join(f"{thread.name} 0x{thread.ident or 0:016x}" for thread in threading.enumerate())


class LastResort:
    """Ends the process, exit code 1, when the main thread has not called rearm() for a while.

    This is for a hang that nothing in Python can judge any more: of the main thread itself, or in native code that does
    not let go of the interpreter. A thread of C waits for it, writes all stacks to stderr, and calls _exit(2).
    """

    def __init__(self, *, after_s: float = 60.0) -> None:
        """`after_s` is longer than systemd's watchdog waits, which then comes first and knows the reason."""
        self._after_s = after_s

    def rearm(self) -> None:
        """Count from now."""
        faulthandler.dump_traceback_later(self._after_s, exit=True)

    def disarm(self) -> None:
        """Wait for nothing any more. Harmless when it does not."""
        faulthandler.cancel_dump_traceback_later()
