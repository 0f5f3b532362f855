"""Reads the instants that people write: "2h", "3d", "today", "2026-11-20 08:15"."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from edged.errors import ConfigError

_UNITS = {"s": "seconds", "m": "minutes", "min": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_HINT = 'Write a time ago (90s, 15m, 2h, 3d, 1w), "today", "yesterday", or a date or time such as 2026-11-20T08:15.'


def wall_instant(text: str, *, wall_now: float, end_of_day: bool = False) -> float:
    """Seconds since 1970-01-01 UTC of what a person wrote, in this machine's time zone unless it names another.

    A whole day ("today", "2026-11-20") means its beginning, or with `end_of_day` the beginning of the next. Raises
    ConfigError.
    """
    word = text.strip().lower()
    now = datetime.fromtimestamp(wall_now).astimezone()
    try:
        if ago := re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]+)", word):
            return (now - timedelta(**{_UNITS[ago[2]]: float(ago[1])})).timestamp()
        if (day := _day(word, now)) is not None:
            return (day + timedelta(days=1) if end_of_day else day).astimezone().timestamp()
        return datetime.fromisoformat(_readable_by_3_10(text.strip())).astimezone().timestamp()
    except (ValueError, KeyError, OverflowError, OSError):
        raise ConfigError(f"{text!r} is no time that edged can read.", hint=_HINT) from None


def _day(word: str, now: datetime) -> datetime | None:
    """The midnight, without a zone, with which a day begins; None when `word` names no day."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    if word in ("today", "yesterday"):
        return midnight - timedelta(days=word == "yesterday")
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", word):
        return datetime.fromisoformat(word)
    return None


def _readable_by_3_10(text: str) -> str:
    """Python 3.10 does not know the Z of UTC."""
    return re.sub(r"[zZ]$", "+00:00", text)
