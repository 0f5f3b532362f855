from __future__ import annotations

import random
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.laboratory.nbd import served
from scripts.laboratory.volatile_file import VolatileFile

READ, WRITE, DISCONNECT, FLUSH = range(4)
FUA = 1


class Client:
    """As much of a client as the protocol asks for, by its document."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(path))
        self._stream = self._socket.makefile("rb")
        assert self._stream.read(18) == b"NBDMAGICIHAVEOPT\0\3"
        self._socket.sendall(struct.pack(">I", 0b11) + b"IHAVEOPT" + struct.pack(">II", 1, 0))
        self.size_bytes, self.flags = struct.unpack(">QH", self._stream.read(10))

    def ask(
        self, command: int, offset: int = 0, count: int = 0, data: bytes = b"", flags: int = 0
    ) -> tuple[int, bytes]:
        self.send(command, offset, len(data) or count, data, flags)
        magic, trouble, handle = struct.unpack(">IIQ", self._stream.read(16))
        assert (magic, handle) == (0x67446698, 77)
        return trouble, self._stream.read(count)

    def send(self, command: int, offset: int, count: int, data: bytes = b"", flags: int = 0) -> None:
        self._socket.sendall(struct.pack(">IHHQQI", 0x25609513, flags, command, 77, offset, count) + data)

    def close(self) -> None:
        self._stream.close()
        self._socket.close()


@contextmanager
def disk_and_socket(folder: Path) -> Iterator[tuple[VolatileFile, Path]]:
    (folder / "disk.img").write_bytes(bytes(1 << 16))
    disk = VolatileFile(folder / "disk.img")
    with served(disk, folder / "nbd.sock") as address:
        assert address == f"nbd+unix:///?socket={folder / 'nbd.sock'}"
        yield disk, folder / "nbd.sock"
    disk.close()


def test_what_one_reader_writes_the_next_one_reads(tmp_path: Path) -> None:
    with disk_and_socket(tmp_path) as (_, path):
        first = Client(path)
        assert first.size_bytes == 1 << 16
        assert first.ask(WRITE, 512, data=b"x" * 512) == (0, b"")
        first.close()  # without a word, as one that was killed
        second = Client(path)
        assert second.ask(READ, 500, 20) == (0, bytes(12) + b"x" * 8)
        second.close()


def test_a_flush_and_a_write_through_reach_the_medium(tmp_path: Path) -> None:
    with disk_and_socket(tmp_path) as (disk, path):
        client = Client(path)
        client.ask(WRITE, 0, data=b"a" * 512)
        client.ask(FLUSH)
        client.ask(WRITE, 512, data=b"b" * 512, flags=FUA)
        client.close()
        assert disk.flushes == 2
        assert disk.lose_power(random.Random(1)) == 0
        assert disk.read(0, 1024) == b"a" * 512 + b"b" * 512


def test_an_unknown_command_is_refused_and_the_next_one_done(tmp_path: Path) -> None:
    with disk_and_socket(tmp_path) as (_, path):
        client = Client(path)
        trouble, _ = client.ask(9)
        assert trouble == 22
        assert client.ask(READ, 0, 4) == (0, bytes(4))
        client.close()


def test_a_write_that_its_reader_did_not_finish_is_not_done(tmp_path: Path) -> None:
    with disk_and_socket(tmp_path) as (disk, path):
        killed = Client(path)
        killed.send(WRITE, 0, 1024, data=b"x" * 700)
        killed.close()
        alive = Client(path)
        assert alive.ask(READ, 0, 1024) == (0, bytes(1024))
        alive.close()
        assert disk.lose_power(random.Random(1)) == 0


def test_what_a_killed_reader_asked_for_is_done_when_the_server_has_ended(tmp_path: Path) -> None:
    (tmp_path / "disk.img").write_bytes(bytes(1 << 16))
    disk = VolatileFile(tmp_path / "disk.img")
    for round_ in (1, 2):  # each boot has a server of its own, at the same place
        with served(disk, tmp_path / "nbd.sock"):
            killed = Client(tmp_path / "nbd.sock")
            killed.send(WRITE, 0, 512, data=bytes([round_]) * 512)
            killed.close()
        assert disk.read(0, 512) == bytes([round_]) * 512
    disk.close()
