"""Gets a stream from a camera's web server (RFC 9110, RFC 9112), within a deadline and without blocking for longer."""

from __future__ import annotations

import http.client
import io
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from email.message import Message
from urllib.parse import urljoin

from edged.capture.network.address import Address, parse_address
from edged.capture.network.auth import authorization
from edged.capture.network.chunks import Chunks
from edged.capture.network.connection import Connection, connect
from edged.capture.network.faults import hung_up, no_answer, refused, unreadable
from edged.clock import Clock

_HEAD_END = b"\r\n\r\n"
_LONGEST_HEAD_BYTES = 1 << 16
_MOVES_MAX = 5
_SEND_TIMEOUT_S = 1.0

Connect = Callable[[Address, float], Connection]


class Body:
    """What a web server sends after its headers, as it comes."""

    def __init__(self, connection: Connection, address: Address, headers: Message, early: bytes) -> None:
        self.content_type = headers.get_content_type()
        self.boundary = str(headers.get_param("boundary", ""))
        self._connection = connection
        self._address = address
        self._chunks = Chunks() if headers.get("transfer-encoding", "").lower() == "chunked" else None
        self._early: bytes | None = early or None

    def receive(self, timeout_s: float) -> bytes | None:
        """Return what came, None when nothing did within `timeout_s`. Raises SourceError; the end is one too."""
        data, self._early = self._early, None
        if data is None:
            data = self._connection.receive(timeout_s)
        if data is None:
            return None
        if not data or (self._chunks and self._chunks.ended):
            raise hung_up(self._address)
        try:
            return self._chunks.feed(data) if self._chunks else data
        except ValueError as error:
            raise unreadable(self._address, f"what comes makes no sense: {error}") from None

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


def get(address: Address, *, clock: Clock, timeout_s: float, connect: Connect = connect) -> Body:
    """Ask for `address`, go where it sends us, and prove who we are where it asks; all within `timeout_s`.

    Raises SourceError.
    """
    deadline = clock.monotonic() + timeout_s
    proof: str | None = None
    for _ in range(_MOVES_MAX):
        with ExitStack() as stack:
            connection = connect(address, max(deadline - clock.monotonic(), 0.0))
            stack.callback(connection.close)
            connection.send(_request(address, proof), _SEND_TIMEOUT_S)
            status, headers, rest = _answer(connection, address, clock, deadline)
            if status == 200:
                stack.pop_all()  # it is the body's now
                return Body(connection, address, headers, rest)
        if status in (301, 302, 303, 307, 308):
            address, proof = _moved(address, headers.get("location", "")), None
        elif status == 401 and proof is None and address.user is not None:
            challenges = [str(challenge) for challenge in headers.get_all("www-authenticate", [])]
            proof = authorization(challenges, user=address.user, password=address.password, target=address.target)
            if proof is None:
                raise unreadable(address, "the camera wants a proof of identity that edged does not know")
        else:
            raise refused(status, address)
    raise unreadable(address, "the camera's web server sends us round in a circle")


def _request(address: Address, proof: str | None) -> bytes:
    # HTTP/1.0 asks for no chunks; some send them all the same
    lines = [f"GET {address.target} HTTP/1.0", f"Host: {address.authority}", "User-Agent: edged", "Accept: */*"]
    lines += [f"Authorization: {proof}"] if proof else []
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _answer(connection: Connection, address: Address, clock: Clock, deadline: float) -> tuple[int, Message, bytes]:
    """Read the status, the headers, and what came of the body with them."""
    head = bytearray()
    while (end := head.find(_HEAD_END)) < 0:
        left_s = deadline - clock.monotonic()
        data = connection.receive(left_s) if left_s > 0 else None
        if data is None:
            raise no_answer(address)
        head += data
        is_endless = len(head) > _LONGEST_HEAD_BYTES and _HEAD_END not in head  # a picture may have come with it
        if not data or is_endless or not b"HTTP/1.".startswith(head[:7]):
            raise unreadable(address, "what answers there does not speak HTTP")
    line, _, lines = bytes(head[: end + 4]).partition(b"\r\n")
    try:
        return int(line.split()[1]), http.client.parse_headers(io.BytesIO(lines)), bytes(head[end + 4 :])
    except (ValueError, IndexError, http.client.HTTPException):
        raise unreadable(address, "what answers there does not speak HTTP") from None


def _moved(address: Address, location: str) -> Address:
    """Where a redirection leads. The password goes along to the same host only, and never from TLS to plain text."""
    try:
        target = urljoin(f"{address.scheme}://{address.authority}{address.target}", location)
    except ValueError:  # half an IPv6 address
        raise unreadable(address, "the camera's web server sends us to an address that cannot be read") from None
    there = parse_address(target, find_secret=None)
    if there.scheme not in ("http", "https"):
        raise unreadable(address, f"the camera's web server sends us to {there.shown}")
    if there.host == address.host and there.user is None and there.secure >= address.secure:
        there = replace(there, user=address.user, password=address.password)
    return there
