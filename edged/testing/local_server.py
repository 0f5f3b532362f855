"""A server on 127.0.0.1 for a camera that a test plays."""

from __future__ import annotations

import socketserver
import ssl
import threading
from contextlib import suppress
from typing import Any, Generic, TypeVar

Camera = TypeVar("Camera")


class LocalServer(socketserver.ThreadingTCPServer, Generic[Camera]):
    """Serves from construction to end(). Handlers find the `camera` here, and leave their `connections`."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(self, camera: Camera, handler: Any, *, tls: ssl.SSLContext | None = None) -> None:
        self.camera = camera
        self.connections: list[Any] = []
        super().__init__(("127.0.0.1", 0), handler)
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        self.port: int = self.server_address[1]
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def hang_up(self) -> None:
        """Close every connection."""
        for connection in self.connections:
            with suppress(OSError):  # gone already
                connection.shutdown(2)

    def end(self) -> None:
        """Stop serving."""
        self.shutdown()
        self.hang_up()
        self.server_close()
        self._thread.join()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A reader that goes away is a normal day."""
