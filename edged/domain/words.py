"""Words for people."""

from __future__ import annotations


def counted(count: object, one: str, many: str = "") -> str:
    """How many there are: "1 frame", "2 frames"; `many` where an s does not make it."""
    return f"{count} {one if str(count) == '1' else many or one + 's'}"
