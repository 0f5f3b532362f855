"""A camera that sends its stream to whoever connects, as `rpicam-vid --listen` does."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any


class TcpCamera:
    """Sends `prefill` pieces at once; `piece` makes them, by their number. Lever: hang_up()."""

    def __init__(self, *, piece: Callable[[int], bytes], prefill: int) -> None:
        self.piece = piece
        self.prefill = prefill
        self.over = threading.Event()
        self._server = _Server(self)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def url(self) -> str:
        """The address."""
        return f"tcp://127.0.0.1:{self.port}"

    def hang_up(self) -> None:
        """Close every connection."""
        for connection in self._server.connections:
            with suppress(OSError):  # gone already
                connection.shutdown(2)

    def close(self) -> None:
        """Stop serving."""
        self.over.set()
        self._server.shutdown()
        self.hang_up()
        self._server.server_close()
        self._thread.join()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, camera: TcpCamera) -> None:
        self.camera = camera
        self.connections: list[Any] = []
        super().__init__(("127.0.0.1", 0), _Connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # a reader that goes away is a normal day


class _Connection(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        self.server.connections.append(self.connection)
        for seq in range(self.server.camera.prefill):
            self.wfile.write(self.server.camera.piece(seq))
        self.server.camera.over.wait()
