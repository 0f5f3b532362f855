"""What the streams of a network hand on: one picture, not converted yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from edged.domain.frame import Decode, DecodeFor, DecodeLuma, DecodePart


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of a stream; `captured_at` is monotonic seconds."""

    captured_at: float
    width_px: int
    height_px: int
    decode: Decode
    decode_for: DecodeFor | None
    decode_luma: DecodeLuma
    decode_part: DecodePart | None = None


class Pictures(Protocol):
    """An open stream. Counts what it passes over in the stats that it was given."""

    def read(self, timeout_s: float) -> Picture | None:
        """Return the newest picture; None when none came within `timeout_s`. Raises SourceError."""
        ...

    def close(self) -> None:
        """Hang up."""
        ...
