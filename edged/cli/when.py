"""Instants for people: as they are shown, and as they are written: "2h", "3d", "today", "2026-11-20 08:15"."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

from edged.errors import ConfigError

_UNITS = {"s": "seconds", "m": "minutes", "min": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_HINT = 'Write a time ago (90s, 15m, 2h, 3d, 1w), "today", "yesterday", or a date or time such as 2026-11-20T08:15.'


def wall_instant(text: str, *, wall_now: float, end_of_day: bool = False) -> float:
    """Seconds since 1970-01-01 UTC of what a person wrote, in this machine's time zone unless it names another.

    A whole day ("today", "2026-11-20") means its beginning, or with `end_of_day` the beginning of the next. Raises
    ConfigError.
    """
    word = text.strip().lower()
    try:
        if ago := re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]+)", word):
            now = datetime.fromtimestamp(wall_now, timezone.utc)
            return (now - timedelta(**{_UNITS[ago[2]]: float(ago[1])})).timestamp()
        if (day := _day(word, local(wall_now))) is not None:
            return (day + timedelta(days=1) if end_of_day else day).timestamp()
        return datetime.fromisoformat(_as_3_10_reads_it(text.strip())).timestamp()
    except (ValueError, KeyError, OverflowError, OSError):
        raise ConfigError(f"{text!r} is no time that edged can read.", hint=_HINT) from None


def local(wall_at: float) -> datetime:
    """A wall-clock instant as the clock on the wall shows it, in this machine's time zone."""
    return datetime.fromtimestamp(wall_at)  # noqa: DTZ006 - as an aware one it fails in a zone 24 hours off, TZ=X-24


def _day(word: str, now: datetime) -> datetime | None:
    """The midnight with which a day begins, by the same clock as `now`; None when `word` names no day."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if word in ("today", "yesterday"):
        return midnight - timedelta(days=word == "yesterday")
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", word):
        return datetime.fromisoformat(word)
    return None


def _as_3_10_reads_it(text: str) -> str:
    """Python 3.10 does not know the Z of UTC; later ones take 20261120 and 2026-W47, whole days, for midnights."""
    if not re.match(r"\d{4}-\d{2}-\d{2}.", text):
        raise ValueError(text)
    return re.sub(r"[zZ]$", "+00:00", text)
