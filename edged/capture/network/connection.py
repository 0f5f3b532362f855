"""A TCP or TLS connection on which every wait has an end."""

from __future__ import annotations

import socket
import ssl

from edged.capture.network.address import Address
from edged.capture.network.faults import network_error

_CHUNK_BYTES = 1 << 16
_AT_ONCE_S = 1e-3  # a time-out of 0 would switch the socket to another mode


class Connection:
    """Bytes from a camera. Raises SourceUnreachable when the network fails."""

    def __init__(self, plain: socket.socket, address: Address) -> None:
        self._socket = plain
        self._address = address

    def send(self, data: bytes, timeout_s: float) -> None:
        """Send all of it."""
        try:
            self._socket.settimeout(max(timeout_s, _AT_ONCE_S))
            self._socket.sendall(data)
        except OSError as error:
            raise network_error(error, self._address) from None

    def receive(self, timeout_s: float) -> bytes | None:
        """Return what came; None when nothing did within `timeout_s`, b"" when the other side has hung up."""
        try:
            self._socket.settimeout(max(timeout_s, _AT_ONCE_S))
            return self._socket.recv(_CHUNK_BYTES)
        except (TimeoutError, ssl.SSLWantReadError):
            return None
        except OSError as error:
            raise network_error(error, self._address) from None

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


def resolve(address: Address) -> None:
    """Look the host's name up: what opens an address by itself calls an unknown name an I/O error.

    The machine's resolver has time-outs of its own (resolv.conf(5)). Raises SourceUnreachable.
    """
    try:
        socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except OSError as error:  # gaierror is one
        raise network_error(error, address) from None


def connect(address: Address, timeout_s: float) -> Connection:
    """Connect within `timeout_s`, and as long again for TLS, whose certificate must be one that this machine trusts.

    Looking the name up comes on top, see resolve(). Raises SourceUnreachable.
    """
    try:
        plain = socket.create_connection((address.host, address.port), timeout_s)
    except OSError as error:
        raise network_error(error, address) from None
    if not address.secure:
        return Connection(plain, address)
    try:
        return Connection(ssl.create_default_context().wrap_socket(plain, server_hostname=address.host), address)
    except OSError as error:
        plain.close()
        raise network_error(error, address) from None
