"""A camera that sends its stream to whoever connects, as `rpicam-vid --listen` does."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable

from edged.testing.local_server import LocalServer


class TcpCamera:
    """Sends `prefill` pieces at once; `piece` makes them, by their number. Lever: hang_up()."""

    def __init__(self, *, piece: Callable[[int], bytes], prefill: int) -> None:
        self.piece = piece
        self.prefill = prefill
        self.over = threading.Event()
        self._server = LocalServer(self, _Connection)
        self.port = self._server.port

    def url(self) -> str:
        """The address."""
        return f"tcp://127.0.0.1:{self.port}"

    def hang_up(self) -> None:
        """Close every connection."""
        self._server.hang_up()

    def close(self) -> None:
        """Stop serving."""
        self.over.set()
        self._server.end()


class _Connection(socketserver.StreamRequestHandler):
    server: LocalServer[TcpCamera]

    def handle(self) -> None:
        self.server.connections.append(self.connection)
        for seq in range(self.server.camera.prefill):
            self.wfile.write(self.server.camera.piece(seq))
        self.server.camera.over.wait()
