"""Event ids: UUIDv7 (RFC 9562, section 5.7) that never sort backwards."""

from __future__ import annotations

import re
import secrets
import uuid

from edged.clock import Clock

_RANDOM_BITS = 74  # rand_a and rand_b, counted as one number
_STEP_BITS = 32
_FORM = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


class Uuid7:
    """Makes ids that sort by the order in which they were made.

    The upper 48 bits are the wall clock in milliseconds. Within one millisecond, and when the clock has gone back, the
    last id is counted on by a random step (RFC 9562, section 6.2, method 2): order comes before the true time. Used by
    one thread at a time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = 0

    def skip_past(self, event_id: str | None) -> None:
        """Make every later id greater than `event_id`, for instance the last one of an earlier run."""
        if event_id is not None:
            self._last = max(self._last, _number(uuid.UUID(event_id).int))

    def __call__(self) -> str:
        """Return the next id in the usual 36 characters."""
        now_ms = max(0, int(self._clock.wall() * 1000)) & ((1 << 48) - 1)
        fresh = now_ms << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
        if fresh >> _RANDOM_BITS <= self._last >> _RANDOM_BITS:
            fresh = self._last + 1 + secrets.randbits(_STEP_BITS)
        self._last = fresh
        return str(uuid.UUID(int=_with_version(fresh)))


def is_id(value: object) -> bool:
    """Tell whether something is an id as Uuid7 writes them."""
    return isinstance(value, str) and _FORM.fullmatch(value) is not None


def _with_version(number: int) -> int:
    """Spread 48 + 12 + 62 bits around the version (7) and the variant (binary 10)."""
    upper, lower = number >> 62, number & ((1 << 62) - 1)
    return (upper >> 12) << 80 | 0x7 << 76 | (upper & 0xFFF) << 64 | 0b10 << 62 | lower


def _number(value: int) -> int:
    """Undo _with_version."""
    return (value >> 80) << 74 | (value >> 64 & 0xFFF) << 62 | value & ((1 << 62) - 1)
