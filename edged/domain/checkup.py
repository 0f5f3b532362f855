"""What `edged doctor` finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Verdict(Enum):
    """How one thing is, the worst last."""

    OK = "ok"
    UNKNOWN = "unknown"  # nobody here can say; never taken for well
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was looked at, how it is, and what mends it."""

    what: str  # "temperature"
    verdict: Verdict
    text: str  # "61 °C (cpu-thermal)"
    mend: str | None = None  # a command, or what to do; None where nothing is to be done


def ok(what: str, text: str) -> Finding:
    """It is well."""
    return Finding(what, Verdict.OK, text)


def unknown(what: str, text: str, mend: str | None = None) -> Finding:
    """Nobody here can say."""
    return Finding(what, Verdict.UNKNOWN, text, mend)


def warn(what: str, text: str, mend: str) -> Finding:
    """It works, but not for long or not well."""
    return Finding(what, Verdict.WARN, text, mend)


def fail(what: str, text: str, mend: str) -> Finding:
    """It does not work."""
    return Finding(what, Verdict.FAIL, text, mend)
