"""Durations as people say them."""

from __future__ import annotations

_UNITS = (("d", 86400), ("h", 3600), ("min", 60))


def in_words(seconds: float) -> str:
    """A duration in its two largest units: "3 d 4 h", "5 min 2 s", "7.3 s"."""
    if abs(seconds) < 60:
        return f"{seconds:.1f} s"
    left = round(abs(seconds))
    parts: list[str] = []
    for unit, size in (*_UNITS, ("s", 1)):
        count, left = divmod(left, size)
        if count or parts:
            parts.append(f"{count} {unit}")
    return ("-" if seconds < 0 else "") + " ".join(parts[:2])
