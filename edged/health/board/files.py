"""Reads the one-line files of sysfs."""

from __future__ import annotations

import math
from pathlib import Path


def read_text(path: Path) -> str | None:
    """The file's text; None when there is none, or its driver does not answer (EIO, EAGAIN, EINVAL)."""
    try:
        return path.read_text("utf-8", "replace").strip()
    except OSError:
        return None


def read_number(path: Path) -> float | None:
    """The number in the file; None as with read_text(), or when it is none."""
    text = read_text(path)
    try:
        number = math.nan if text is None else float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
