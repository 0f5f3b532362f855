"""A camera's web server on 127.0.0.1 that does what the test tells it.

It sends nothing by itself but its answer and a few pieces at once; the test pushes the others, so no test waits for a
clock.
"""

from __future__ import annotations

import base64
import hashlib
import re
import ssl
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from typing import Any

from edged.testing.encoded import jpeg
from edged.testing.local_server import LocalServer

BOUNDARY = "edged-frame"


def part(seq: int, *, length: bool = True, stamp_s: float | None = None, data: bytes | None = None) -> bytes:
    """One picture as a part of a multipart answer."""
    body = jpeg(seq) if data is None else data
    head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\n"
    head += f"Content-Length: {len(body)}\r\n" if length else ""
    head += f"X-Timestamp: {stamp_s:.6f}\r\n" if stamp_s is not None else ""
    return head.encode() + b"\r\n" + body + b"\r\n"


class HttpCamera:
    """Levers: what is given here, and send(), hang_up(). `piece` makes what is sent, by its number."""

    def __init__(
        self,
        *,
        piece: Callable[[int], bytes] = part,
        content_type: str = f"multipart/x-mixed-replace; boundary={BOUNDARY}",
        prefill: int = 1,
        chunked: bool = False,
        status: int = 200,
        headers: Sequence[tuple[str, str]] = (),
        login: str | None = None,
        digest: bool = False,
        silent: bool = False,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`login` is the user:password that it wants; `silent` accepts connections and answers nothing."""
        self.piece = piece
        self.content_type = content_type
        self.prefill = prefill
        self.chunked = chunked
        self.status = status
        self.headers = list(headers)
        self.login = login
        self.digest = digest
        self.silent = silent
        self.requests: list[dict[str, str]] = []
        self._seq = 0
        self._writers: list[Callable[[bytes], Any]] = []
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._scheme = "https" if tls else "http"
        self._server = LocalServer(self, _Handler, tls=tls)
        self.port = self._server.port

    def url(self, user: str = "", path: str = "/live") -> str:
        """The address; `user` is `name:password`."""
        return f"{self._scheme}://{user + '@' if user else ''}127.0.0.1:{self.port}{path}"

    def send(self, count: int = 1) -> None:
        """Send the next pieces to all who look."""
        with self._lock:
            for _ in range(count):
                self._write(self.piece(self._seq))
                self._seq += 1

    def send_bytes(self, data: bytes) -> None:
        """Send whatever."""
        with self._lock:
            self._write(data)

    def hang_up(self) -> None:
        """Close every connection."""
        self._server.hang_up()

    def close(self) -> None:
        """Stop serving."""
        self._over.set()
        self._server.end()

    def serve(self, write: Callable[[bytes], Any]) -> None:
        """Stream to one who looks, until the end (called by the connection's thread)."""
        with self._lock:
            self._writers.append(write)
        self.send(self.prefill)
        self._over.wait()

    def _write(self, data: bytes) -> None:
        data = f"{len(data):x}\r\n".encode() + data + b"\r\n" if self.chunked else data
        for write in self._writers:
            with suppress(OSError, ValueError):  # the reader has gone
                write(data)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: LocalServer[HttpCamera]

    def do_GET(self) -> None:
        camera = self.server.camera
        self.server.connections.append(self.connection)
        camera.requests.append({"path": self.path, **{name.lower(): value for name, value in self.headers.items()}})
        if camera.silent:
            camera._over.wait()
        elif camera.login is not None and not self._knows(camera.login):
            offer = 'Digest realm="camera", nonce="n0", qop="auth", opaque="o"' if camera.digest else 'Basic realm="x"'
            self._head(401, [("WWW-Authenticate", offer), ("Content-Length", "0")])
        else:
            self._head(camera.status, [("Content-Type", camera.content_type), *camera.headers])
            if camera.status == 200:
                camera.serve(self.wfile.write)
        self.close_connection = True

    def _head(self, status: int, headers: Sequence[tuple[str, str]]) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if self.server.camera.chunked:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def _knows(self, login: str) -> bool:
        proof = self.headers.get("Authorization", "")
        if not self.server.camera.digest:
            return bool(proof == "Basic " + base64.b64encode(login.encode()).decode())
        fields = dict(re.findall(r'(\w+)="?([^",]*)', proof.removeprefix("Digest ")))
        user, _, password = login.partition(":")
        who = hashlib.md5(f"{user}:camera:{password}".encode()).hexdigest()
        what = hashlib.md5(f"GET:{self.path}".encode()).hexdigest()
        sums = ":".join([who, "n0", fields.get("nc", ""), fields.get("cnonce", ""), "auth", what])
        return proof.startswith("Digest ") and fields.get("response") == hashlib.md5(sums.encode()).hexdigest()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass
