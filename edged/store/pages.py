"""Reads table rows out of a SQLite file page by page, without trusting anything else in it.

SQLite finds rows through the header, the schema and a tree of pages; damage to one of those hides all that lies below.
But each leaf page of a table describes itself, so rows can be read from every leaf that is whole, wherever it hangs.

Written after https://www.sqlite.org/fileformat2.html: section 1.6 (b-tree pages), 2.1 (record format), 4 (the
write-ahead log).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

Value = int | float | str | bytes | None

_TABLE_LEAF = 0x0D
_WAL_HEADER_BYTES = 32
_FRAME_HEADER_BYTES = 24
_INTEGER_BYTES = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}


def file_pages(path: Path, *, page_bytes: int, all_of_it: bool = False) -> Iterator[bytes]:
    """Every page of a database file but the first, which holds the schema.

    Raises OSError when it does not open, and, for `all_of_it`, where the disk does not give a page.
    """
    with path.open("rb") as file:
        yield from _pieces(file, start=page_bytes, piece_bytes=page_bytes, all_of_it=all_of_it)


def wal_pages(path: Path, *, page_bytes: int, all_of_it: bool = False) -> Iterator[bytes]:
    """Every page in a write-ahead log that belongs to its present round, oldest first.

    Raises OSError as file_pages() does.
    """
    with path.open("rb") as file:
        header = next(_pieces(file, start=0, piece_bytes=_WAL_HEADER_BYTES, all_of_it=all_of_it), b"")
        frame_bytes = _FRAME_HEADER_BYTES + page_bytes
        for frame in _pieces(file, start=_WAL_HEADER_BYTES, piece_bytes=frame_bytes, all_of_it=all_of_it):
            if frame[8:16] == header[16:24]:  # else left over from an earlier round
                yield frame[_FRAME_HEADER_BYTES:]


def rows(page: bytes) -> Iterator[list[Value]]:
    """Every row on a page that is a table's leaf; rows that make no sense, or go on elsewhere, are passed over."""
    if len(page) < 8 or page[0] != _TABLE_LEAF:
        return
    (cells,) = struct.unpack_from(">H", page, 3)
    for number in range(min(cells, (len(page) - 8) // 2)):
        (start,) = struct.unpack_from(">H", page, 8 + 2 * number)
        try:
            yield _row(page, start)
        except (IndexError, ValueError, struct.error):
            continue


def _pieces(file: BinaryIO, *, start: int, piece_bytes: int, all_of_it: bool) -> Iterator[bytes]:
    """Cut a file into pieces of one size; those that the disk cannot give any more are left out, or raise OSError."""
    fd = file.fileno()
    for at in range(start, os.fstat(fd).st_size, piece_bytes):
        try:
            piece = os.pread(fd, piece_bytes, at)
        except OSError:  # a bad spot on the card: the reason why salvage was called
            if all_of_it:
                raise
            continue
        yield piece


def _row(page: bytes, start: int) -> list[Value]:
    """Read one cell: payload length, rowid, then a header of types and a body of values."""
    payload_bytes, at = _varint(page, start)
    _, at = _varint(page, at)
    end = at + payload_bytes
    if end > len(page):
        raise ValueError("the row goes on in another page")
    header_bytes, type_at = _varint(page, at)
    value_at = header_end = at + header_bytes
    values: list[Value] = []
    while type_at < header_end:
        serial_type, type_at = _varint(page, type_at)
        value, value_at = _value(page, value_at, serial_type)
        values.append(value)
    if type_at != header_end or value_at != end:
        raise ValueError("the row's parts do not add up")
    return values


def _varint(page: bytes, at: int) -> tuple[int, int]:
    """Read a big-endian number of 7 bits a byte, 9 bytes at most; return it and where it ends."""
    number = 0
    for offset in range(8):
        byte = page[at + offset]
        number = number << 7 | byte & 0x7F
        if byte < 0x80:
            return number, at + offset + 1
    return number << 8 | page[at + 8], at + 9


def _value(page: bytes, at: int, serial_type: int) -> tuple[Value, int]:
    """Read one value of a record by its type code; return it and where it ends."""
    if serial_type == 0:
        return None, at
    if serial_type in (8, 9):
        return serial_type - 8, at
    if serial_type == 7:
        return struct.unpack_from(">d", page, at)[0], at + 8
    if serial_type in (10, 11):
        raise ValueError("a reserved type")
    length = _INTEGER_BYTES.get(serial_type, (serial_type - 12) // 2)
    raw = page[at : at + length]
    if len(raw) < length:
        raise ValueError("the value goes past the page")
    if serial_type in _INTEGER_BYTES:
        return int.from_bytes(raw, "big", signed=True), at + length
    return (raw.decode() if serial_type % 2 else raw), at + length
