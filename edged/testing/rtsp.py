"""An RTSP camera on 127.0.0.1 that does what the test tells it: H.264 in RTP (RFC 6184), interleaved in TCP (RFC 2326).

It sends nothing by itself but a few pictures at PLAY; the test pushes the others, so no test waits for a clock.
"""

from __future__ import annotations

import base64
import socketserver
import ssl
import struct
import threading
from functools import partial
from typing import Any

from edged.testing.encoded import SIZE, H264Encoder
from edged.testing.local_server import LocalServer

_RTP_CLOCK_HZ = 90_000  # RFC 6184
_PAYLOAD_TYPE = 96
_FRAGMENT_BYTES = 1200  # larger NAL units travel in fragments (FU-A), as they do from a real camera


class RtspCamera:
    """Levers: `password`, `path`, `mute`, `codec`, `prefill`; send(), send_bytes(), skip_time(), hang_up()."""

    def __init__(
        self,
        *,
        password: str | None = None,
        path: str = "/stream",
        mute: str | None = None,
        codec: str = "H264",
        media: str = "video",
        prefill: int = 3,
        fps: int = 10,
        key_every: int = 10,
        size: tuple[int, int] = SIZE,
        noise: bool = False,
        first_stamp: int = 4_000_000_000,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`mute` is the method that gets no answer; `prefill` is how many pictures follow PLAY at once."""
        self.password = password
        self.path = path
        self.mute = mute
        self.codec = codec
        self.media = media
        self.prefill = prefill
        self.first_stamp = first_stamp
        self.requests: list[str] = []
        self._make_encoder = partial(H264Encoder, fps=fps, key_every=key_every, size=size, noise=noise)
        self._players: list[_Player] = []
        self._lock = threading.Lock()
        self._scheme = "rtsps" if tls else "rtsp"
        self._server = LocalServer(self, _Connection, tls=tls)
        self.port = self._server.port

    def url(self, user: str = "") -> str:
        """The address; `user` is `name` or `name:password`."""
        return f"{self._scheme}://{user + '@' if user else ''}127.0.0.1:{self.port}/stream"

    def send(self, count: int = 1) -> None:
        """Send the next pictures to all who play."""
        with self._lock:
            for player in self._players:
                player.send(count)

    def send_bytes(self, data: bytes) -> None:
        """Send what is no RTP, or part of it."""
        with self._lock:
            for player in self._players:
                player.write(data)

    def skip_time(self, seconds: float) -> None:
        """Let the stream's time stamps jump, either way."""
        with self._lock:
            for player in self._players:
                player.stamp += round(seconds * _RTP_CLOCK_HZ)

    def drop_packet(self) -> None:
        """Lose a picture on the way: the sequence numbers go on, its packets never come."""
        with self._lock:
            for player in self._players:
                player.lose()

    def hang_up(self) -> None:
        """Close every connection."""
        self._server.hang_up()

    def play(self, write: Any) -> None:
        """Take in one who plays (called by the connection's thread)."""
        player = _Player(write, self._make_encoder(), self.first_stamp)
        with self._lock:
            self._players.append(player)
            player.send(self.prefill)

    def close(self) -> None:
        """Stop serving."""
        self._server.end()


class _Player:
    """One connection that plays: its RTP sequence and time."""

    def __init__(self, write: Any, encoder: H264Encoder, stamp: int) -> None:
        self._write = write
        self._encoder = encoder
        self._sequence = 0
        self.stamp = stamp

    def send(self, count: int) -> None:
        for _ in range(count):
            self._picture(self.write)

    def lose(self) -> None:
        self._picture(lambda data: None)

    def write(self, data: bytes) -> None:
        try:
            self._write(data)
        except OSError:  # the reader has gone
            self._write = lambda data: None

    def _picture(self, write: Any) -> None:
        payloads = [payload for unit in self._encoder.next_picture() for payload in _payloads(unit)]
        for index, payload in enumerate(payloads):
            marker = 0x80 if index == len(payloads) - 1 else 0
            header = struct.pack(">BBHII", 0x80, marker | _PAYLOAD_TYPE, self._sequence, self.stamp & 0xFFFFFFFF, 1)
            write(struct.pack(">cBH", b"$", 0, len(header) + len(payload)) + header + payload)
            self._sequence = (self._sequence + 1) & 0xFFFF
        self.stamp += _RTP_CLOCK_HZ // self._encoder.fps


def _payloads(unit: bytes) -> list[bytes]:
    """One NAL unit as RTP payloads: itself, or fragments."""
    if len(unit) <= _FRAGMENT_BYTES:
        return [unit]
    indicator, kind, body = (unit[0] & 0xE0) | 28, unit[0] & 0x1F, unit[1:]
    pieces = [body[at : at + _FRAGMENT_BYTES] for at in range(0, len(body), _FRAGMENT_BYTES)]
    ends = [0x80, *[0] * (len(pieces) - 2), 0x40]
    return [bytes((indicator, end | kind)) + piece for end, piece in zip(ends, pieces, strict=True)]


class _Connection(socketserver.StreamRequestHandler):
    server: LocalServer[RtspCamera]

    def handle(self) -> None:
        self.server.connections.append(self.connection)
        while lines := self._request():
            method, url, _ = lines[0].split(" ", 2)
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
            self.server.camera.requests.append(method)
            if self.server.camera.mute != method:
                self._answer(method, url, headers)

    def _request(self) -> list[str]:
        lines = []
        while line := self.rfile.readline():
            if line[:1] == b"$":  # a receiver's report
                self.rfile.read(int.from_bytes(line[2:4], "big") - len(line) + 4)
                continue
            if line == b"\r\n":
                break
            lines.append(line.decode().rstrip())
        return lines

    def _answer(self, method: str, url: str, headers: dict[str, str]) -> None:
        camera = self.server.camera
        if method == "OPTIONS":
            self._say(headers, "200 OK", "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN")
        elif camera.password is not None and headers.get("authorization") != _basic(camera.password):
            self._say(headers, "401 Unauthorized", 'WWW-Authenticate: Basic realm="camera"')
        elif not url.partition("://")[2].partition("/")[2].startswith(camera.path[1:]):
            self._say(headers, "404 Not Found")
        elif method == "DESCRIBE":
            self._say(headers, "200 OK", f"Content-Base: {url}/", "Content-Type: application/sdp", body=self._sdp())
        elif method == "SETUP" and "TCP" not in headers["transport"]:
            self._say(headers, "461 Unsupported Transport")
        elif method == "SETUP":
            self._say(headers, "200 OK", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1", "Session: 1;timeout=60")
        else:
            self._say(headers, "200 OK", "Session: 1")
            if method == "PLAY":
                camera.play(self.wfile.write)

    def _sdp(self) -> str:
        camera = self.server.camera
        return (
            "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=camera\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n"
            f"m={camera.media} 0 RTP/AVP {_PAYLOAD_TYPE}\r\na=rtpmap:{_PAYLOAD_TYPE} {camera.codec}/{_RTP_CLOCK_HZ}\r\n"
            f"a=fmtp:{_PAYLOAD_TYPE} packetization-mode=1\r\na=control:track\r\n"
        )

    def _say(self, headers: dict[str, str], status: str, *more: str, body: str = "") -> None:
        length = [f"Content-Length: {len(body)}"] if body else []
        head = [f"RTSP/1.0 {status}", f"CSeq: {headers.get('cseq', 0)}", *more, *length]
        self.wfile.write(("\r\n".join(head) + "\r\n\r\n" + body).encode())


def _basic(user: str) -> str:
    return "Basic " + base64.b64encode(user.encode()).decode()
