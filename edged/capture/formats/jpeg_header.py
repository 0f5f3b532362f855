"""What stands in a JPEG before its first scan, and where that scan ends; nothing is decoded.

Source: ITU-T T.81, annex B.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

_SOF = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # start of frame, any process
_SEQUENTIAL = (0xC0, 0xC1)
_BARE = frozenset(range(0xD0, 0xD9)) | {0x00, 0x01}  # without a length
_DHT, _EOI, _SOS, _DQT, _DRI, _APP14 = 0xC4, 0xD9, 0xDA, 0xDB, 0xDD, 0xEE
_COMMENTS = (frozenset(range(0xE0, 0xF0)) | {0xFE}) - {_APP14}  # Adobe's APP14 may change the colours
_WHOLE_SPECTRUM = b"\x00\x3f\x00"  # how the header of a sequential scan ends

_MARKER = re.compile(rb"\xff+([^\xff])", re.DOTALL)  # fill bytes may precede it

_FULL_BYTES_MAX = 5
"""A code begins with at most 15 ones, and what stands before it ends with at most 26: no six bytes are all ones."""


@dataclass(frozen=True, slots=True)
class JpegHeader:
    """The first frame of a JPEG."""

    width_px: int
    height_px: int
    essential: bytes
    """SOI, tables, frame header and scan header: all that a decoder needs before the data."""
    data_at: int
    """Where the data of the first scan begin."""
    plain: bool
    """One sequential scan of grey or Y'CbCr with 8 bits, without restart markers or anything out of place."""


@dataclass(frozen=True, slots=True)
class _Segment:
    kind: int
    body: bytes  # what follows the length
    whole: bytes
    end: int
    in_place: bool  # directly behind the one before


def parse_header(data: bytes) -> JpegHeader | None:
    """Read up to the first scan; None when it is no JPEG, or ends before."""
    size: tuple[int, int] | None = None
    components = 0
    plain = data.startswith(b"\xff\xd8")
    essential = [data[:2]]
    for segment in _segments(data) if plain else ():
        kind, body = segment.kind, segment.body
        plain = plain and segment.in_place
        if kind in _COMMENTS:
            continue
        essential.append(segment.whole)
        if kind == _EOI or (kind in _SOF and len(body) < 6):
            return None
        if kind in _SOF:
            plain = plain and size is None and kind in _SEQUENTIAL and body[0] == 8 and body[5] in (1, 3)
            size = (int.from_bytes(body[3:5], "big"), int.from_bytes(body[1:3], "big"))
            components = body[5]
        elif kind == _SOS:
            plain = plain and body[:1] == bytes([components]) and body[1 + 2 * components :] == _WHOLE_SPECTRUM
            return size and JpegHeader(*size, essential=b"".join(essential), data_at=segment.end, plain=plain)
        elif kind == _DRI:
            plain = plain and not any(body)
        elif kind not in (_DHT, _DQT):
            plain = False
    return None


def _segments(data: bytes) -> Iterator[_Segment]:
    """Walk from marker to marker as far as they are whole."""
    at = 2
    while (marker := _MARKER.search(data, at)) is not None:
        kind, length_at = data[marker.end() - 1], marker.end()
        length = 0 if kind in _BARE or kind == _EOI else max(2, int.from_bytes(data[length_at : length_at + 2], "big"))
        end = length_at + length
        if end > len(data):
            return
        yield _Segment(kind, data[length_at + 2 : end], data[length_at - 2 : end], end, marker.start() == at)
        at = end


def scan_end(data: bytes, data_at: int) -> int | None:
    """Find the end marker behind the data of a scan without restart markers; what follows it does not matter.

    None when there is none, when another marker stands before it, or when the data cannot be Huffman codes.
    """
    samples = np.frombuffer(data, np.uint8)[data_at:]
    full = np.flatnonzero(samples[:-1] == 0xFF)
    markers = full[samples[full + 1] != 0]
    if not markers.size:
        return None
    end = int(markers[0])
    marker = _MARKER.match(data, data_at + end)
    if marker is None or marker[1][0] != _EOI:
        return None
    full = full[full < end]
    apart = full[_FULL_BYTES_MAX:] - full[:-_FULL_BYTES_MAX]  # a stuffed zero follows each byte of ones
    return None if (apart == 2 * _FULL_BYTES_MAX).any() else data_at + end
