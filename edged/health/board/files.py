"""Reads the one-line files of sysfs.

Paths may be strings, and are where sensors are read every second; edged/health/replacing.py says why.
"""

from __future__ import annotations

import math
import os
from pathlib import Path


def entries(folder: Path | str, prefix: str) -> list[str]:
    """The paths of what lies in a folder under names with this prefix, in order; none where there is no folder."""
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    return [f"{folder}/{name}" for name in sorted(names) if name.startswith(prefix)]


def read_text(path: Path | str) -> str | None:
    """The file's text; None when there is none, or its driver does not answer (EIO, EAGAIN, EINVAL)."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return None


def read_number(path: Path | str) -> float | None:
    """The number in the file; None as with read_text(), or when it is none."""
    text = read_text(path)
    try:
        number = math.nan if text is None else float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
