"""JPEG after JPEG in one endless answer, multipart/x-mixed-replace (RFC 2046, 5.1), taken apart as its bytes come.

Cameras are careless with it: some write the two hyphens into the boundary that they announce, some leave out the
length or get the line ends wrong.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LARGEST_PART_BYTES = 16 << 20
_LONGEST_HEAD_BYTES = 8192

_LENGTH = re.compile(rb"^content-length:[ \t]*(\d{1,9})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_STAMP = re.compile(rb"^x-timestamp:[ \t]*(\d{1,12}\.\d{1,9})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_HEAD_END = re.compile(rb"\r?\n\r?\n")


@dataclass(frozen=True, slots=True)
class Part:
    """One picture, and its time stamp where the camera gives one (X-Timestamp, seconds since anywhere)."""

    data: bytes
    stamp_s: float | None


class Multipart:
    """Feed it what the connection gave; it returns the parts that are whole."""

    def __init__(self, boundary: str) -> None:
        """`boundary` is as the Content-Type announces it."""
        self._delimiter = b"--" + boundary.strip().strip('"').lstrip("-").encode("latin-1", "replace")
        self._data = bytearray()
        self._head: bytes | None = None  # of the part that is coming
        self._searched = 0  # no delimiter begins before this

    def feed(self, data: bytes) -> list[Part]:
        """Return the parts that these bytes complete. Raises ValueError when they are no multipart body."""
        self._data += data
        parts: list[Part] = []
        while True:
            if self._head is None and not self._take_head():
                return parts
            part = self._take_part()
            if part is None:
                return parts
            if part.data:
                parts.append(part)

    def _take_head(self) -> bool:
        start = self._data.find(self._delimiter)
        del self._data[: max(start, 0)]  # what a wrong length left over
        found = _HEAD_END.search(self._data, len(self._delimiter)) if start >= 0 else None
        if found is None:
            if len(self._data) > (_LONGEST_HEAD_BYTES if start >= 0 else LARGEST_PART_BYTES):
                raise ValueError("a part has no end to its header")
            return False
        self._head = bytes(self._data[: found.start()]) + b"\n"
        del self._data[: found.end()]
        self._searched = 0
        return True

    def _take_part(self) -> Part | None:
        assert self._head is not None
        length = _LENGTH.search(self._head)
        if length:
            end = int(length[1])
        else:
            end = self._data.find(self._delimiter, self._searched)
            self._searched = max(0, len(self._data) - len(self._delimiter))
        if max(end, len(self._data) if end < 0 else 0) > LARGEST_PART_BYTES:
            raise ValueError("a part is too large for a picture")
        if end < 0 or len(self._data) < end:
            return None
        data = bytes(self._data[:end])
        del self._data[:end]
        stamp = _STAMP.search(self._head)
        self._head = None
        return Part(data if length else data.rstrip(b"-\r\n"), float(stamp[1]) if stamp else None)
