"""Runs a small program for what it prints."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence

Ask = Callable[[Sequence[str]], "str | None"]
"""Run a command line and return what it prints; None when it cannot be run, fails, or hangs."""


def ask_program(words: Sequence[str], *, within_s: float = 5.0) -> str | None:
    """See Ask."""
    try:
        ended = subprocess.run(
            words, capture_output=True, text=True, timeout=within_s, check=True, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    return ended.stdout
