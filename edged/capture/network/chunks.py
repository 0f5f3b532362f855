"""A body that comes in chunks (RFC 9112, 7.1), taken apart as its bytes come."""

from __future__ import annotations

_LONGEST_LINE = 1024
_LARGEST_CHUNK = 1 << 28


class Chunks:
    """Feed it what the connection gave; it returns what is body."""

    def __init__(self) -> None:
        self.ended = False
        self._line = bytearray()  # of the size, as far as it has come
        self._left = 0  # bytes of the chunk and its line end that are still to come

    def feed(self, data: bytes) -> bytes:
        """Return the body bytes in `data`. Raises ValueError when they are not in chunks."""
        body, at = bytearray(), 0
        while at < len(data) and not self.ended:
            if self._left:
                step = min(self._left, len(data) - at)
                body += data[at : at + max(0, min(step, self._left - 2))]
                self._left -= step
                at += step
            else:
                at = self._take_line(data, at)
        return bytes(body)

    def _take_line(self, data: bytes, at: int) -> int:
        end = data.find(b"\n", at)
        stop = len(data) if end < 0 else end + 1
        self._line += data[at:stop]
        if len(self._line) > _LONGEST_LINE:
            raise ValueError("the size of a chunk is missing")
        if end >= 0:
            size = int(bytes(self._line).split(b";")[0].strip() or b"?", 16)
            if not 0 <= size <= _LARGEST_CHUNK:
                raise ValueError("a chunk is too large")
            self._line.clear()
            self.ended = size == 0
            self._left = size + 2
        return stop
