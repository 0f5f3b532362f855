"""Serves a disk to QEMU by the Network Block Device protocol: fixed newstyle, one export, flushes and FUA.

Source: https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md
"""

from __future__ import annotations

import errno
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import IntEnum
from pathlib import Path
from typing import BinaryIO, Protocol

_GREETING = b"NBDMAGICIHAVEOPT" + struct.pack(">H", 0b11)  # fixed newstyle, no zeroes
_OPTION_REPLY, _REPLY = 0x3E889045565A9, 0x67446698
_ACK, _INFO, _UNSUPPORTED = 1, 3, 0x80000001
_FLAGS = 0b1101  # has flags, flush, FUA
_FUA = 1
_NO_ZEROES = 0b10
_GONE_MAX_S = 10.0

Read = Callable[[int], bytes]


class _Option(IntEnum):
    EXPORT_NAME, ABORT, INFO, GO = 1, 2, 6, 7


class _Command(IntEnum):
    READ, WRITE, DISCONNECT, FLUSH = 0, 1, 2, 3


class Disk(Protocol):
    """What can be served."""

    size_bytes: int

    def read(self, offset: int, count: int) -> bytes:
        """Return bytes."""
        ...

    def write(self, offset: int, data: bytes) -> None:
        """Take bytes."""
        ...

    def flush(self) -> None:
        """Keep what was taken."""
        ...


@contextmanager
def served(disk: Disk, path: Path) -> Iterator[str]:
    """Serve a disk on a socket at `path` to one reader after another; gives QEMU's address for it.

    The readers must have gone at the end. Then what they asked for is done, too: nothing changes the disk any more.
    """
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        thread = threading.Thread(target=_serve, args=(disk, listener), name="nbd", daemon=True)
        thread.start()
        try:
            yield f"nbd+unix:///?socket={path}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(_GONE_MAX_S)
            path.unlink()
            if thread.is_alive():
                raise TimeoutError(f"the reader at {path} does not go")


def _serve(disk: Disk, listener: socket.socket) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:  # no more
            return
        with connection, connection.makefile("rb") as stream:

            def read(count: int, stream: BinaryIO = stream) -> bytes:
                data = stream.read(count)
                if len(data) < count:  # half a request is none, lest half a sector is written
                    raise ConnectionResetError
                return data

            with suppress(ConnectionError):  # its reader was killed
                if _negotiate(disk, connection, read):
                    _transmit(disk, connection, read)


def _negotiate(disk: Disk, connection: socket.socket, read: Read) -> bool:
    """Agree on the only export; say whether the reader wants it."""
    connection.sendall(_GREETING)
    (client,) = struct.unpack(">I", read(4))
    while True:
        _, option, length = struct.unpack(">QII", read(16))
        read(length)

        def reply(kind: int, data: bytes = b"", option: int = option) -> None:
            connection.sendall(struct.pack(">QIII", _OPTION_REPLY, option, kind, len(data)) + data)

        if option == _Option.EXPORT_NAME:
            padding = b"" if client & _NO_ZEROES else bytes(124)
            connection.sendall(struct.pack(">QH", disk.size_bytes, _FLAGS) + padding)
            return True
        if option == _Option.ABORT:
            reply(_ACK)
            return False
        if option in (_Option.INFO, _Option.GO):
            reply(_INFO, struct.pack(">HQH", 0, disk.size_bytes, _FLAGS))
            reply(_ACK)
            if option == _Option.GO:
                return True
        else:
            reply(_UNSUPPORTED)


def _transmit(disk: Disk, connection: socket.socket, read: Read) -> None:
    """Do what is asked until the reader goes."""
    while True:
        _, flags, command, handle, offset, count = struct.unpack(">IHHQQI", read(28))
        data, trouble = b"", 0
        if command == _Command.READ:
            data = disk.read(offset, count)
        elif command == _Command.WRITE:
            disk.write(offset, read(count))
            if flags & _FUA:
                disk.flush()
        elif command == _Command.FLUSH:
            disk.flush()
        elif command == _Command.DISCONNECT:
            return
        else:
            trouble = errno.EINVAL
        connection.sendall(struct.pack(">IIQ", _REPLY, trouble, handle) + data)
