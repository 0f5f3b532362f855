"""What a web server may do with the bytes of its answer."""

from __future__ import annotations

from typing import cast

import pytest

from edged.capture.network.address import Address, parse_address
from edged.capture.network.connection import Connection
from edged.capture.network.http import get
from edged.errors import SourceUnreadable
from edged.testing.clock import FakeClock

HEADERS = b"Content-Type: multipart/x-mixed-replace; boundary=x\r\n\r\n"


class ScriptedConnection:
    """Gives one piece at each call of receive()."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = list(pieces)

    def send(self, data: bytes, timeout_s: float) -> None:
        pass

    def receive(self, timeout_s: float) -> bytes | None:
        return self._pieces.pop(0) if self._pieces else None

    def close(self) -> None:
        pass


def answer(*pieces: bytes) -> bytes | None:
    """What is read first of the body of an answer that comes in these pieces."""

    def connect(address: Address, timeout_s: float) -> Connection:
        return cast(Connection, ScriptedConnection(*pieces))

    body = get(parse_address("http://camera/live"), clock=FakeClock(), timeout_s=1.0, connect=connect)
    return body.receive(0.0)


def test_a_picture_that_comes_with_the_headers_may_be_as_large_as_it_likes() -> None:
    picture = bytes(1 << 16)
    assert answer(b"HTTP/1.0 200 OK\r\n", HEADERS + picture) == picture


def test_headers_without_an_end_are_given_up() -> None:
    endless = [b"HTTP/1.0 200 OK\r\n", *[b"X-Nothing: " + b"x" * 1000 + b"\r\n"] * 100]
    with pytest.raises(SourceUnreadable, match="does not speak HTTP"):
        answer(*endless)
