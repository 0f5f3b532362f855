"""What no source takes, however it is labelled."""

from __future__ import annotations

MAX_PIXELS = 64_000_000
"""A header that claims a larger picture is refused: decoded it would take 192 MB and more, on a small box all."""
