"""How large a picture is, without decoding it: a decoder that believes a damaged file may take all memory.

Sources: PNG (RFC 2083, 11.2.1), JPEG (ITU-T T.81, B.1 and B.2.2), WebP (RFC 9649, 2.4 to 2.7), BMP
(BITMAPCOREHEADER and BITMAPINFOHEADER).
"""

from __future__ import annotations

import struct

_JPEG_SIZE_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # start of frame, any process
_JPEG_BARE_MARKERS = frozenset(range(0xD0, 0xD9)) | {0x01}  # without a length


def image_size(data: bytes) -> tuple[int, int] | None:
    """Return (width, height) in pixels as the header claims; None when it is no JPEG, PNG, WebP or BMP, or cut."""
    try:
        if data.startswith(b"\x89PNG\r\n\x1a\n"):
            return _png_size(data)
        if data.startswith(b"\xff\xd8"):
            return _jpeg_size(data)
        if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
            return _webp_size(data)
        if data.startswith(b"BM"):
            return _bmp_size(data)
    except struct.error:  # cut short
        return None
    return None


def _pair(numbers: tuple[int, ...]) -> tuple[int, int]:
    width, height = numbers
    return width, height


def _png_size(data: bytes) -> tuple[int, int] | None:
    at = 8
    while at < len(data):  # OpenCV 5 takes as much memory as a chunk claims to need, before it looks for the chunk
        length, kind = struct.unpack_from(">I4s", data, at)
        at += 12 + length
        if kind == b"IEND":
            break
    return _pair(struct.unpack_from(">II", data, 16)) if at <= len(data) else None


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    at = 2
    while True:
        lead, marker = struct.unpack_from("BB", data, at)
        if lead != 0xFF:
            return None
        if marker in _JPEG_SIZE_MARKERS:
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        if marker == 0xFF:  # a fill byte
            at += 1
        elif marker in _JPEG_BARE_MARKERS:
            at += 2
        else:
            at += 2 + struct.unpack_from(">H", data, at + 2)[0]


def _webp_size(data: bytes) -> tuple[int, int] | None:
    kind = data[12:16]
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L":
        bits = struct.unpack_from("<I", data, 21)[0]
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8X":
        low_w, high_w, low_h, high_h = struct.unpack_from("<HBHB", data, 24)
        return (high_w << 16 | low_w) + 1, (high_h << 16 | low_h) + 1
    return None


def _bmp_size(data: bytes) -> tuple[int, int]:
    if struct.unpack_from("<I", data, 14)[0] == 12:
        return _pair(struct.unpack_from("<HH", data, 18))
    width, height = struct.unpack_from("<ii", data, 18)
    return abs(width), abs(height)  # a negative height means that the top row comes first
