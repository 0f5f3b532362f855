"""JPEGs as cameras send them, and the ways in which they come damaged."""

from __future__ import annotations

import random
import re
import struct

import cv2

from tests.unit.capture.formats.pictures import Bytes, scene

SAMPLING = {
    "4:2:0": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
    "4:2:2": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422,
    "4:4:4": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
}
WIDTH_PX, HEIGHT_PX = 320, 240


def jpeg(image: Bytes | None = None, *, sampling: str = "4:2:2", restart: int = 0, progressive: bool = False) -> bytes:
    """Encode a picture, the scene if none is given; `restart` is the interval in blocks."""
    options = [cv2.IMWRITE_JPEG_QUALITY, 85, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, SAMPLING[sampling]]
    options += [cv2.IMWRITE_JPEG_RST_INTERVAL, restart, cv2.IMWRITE_JPEG_PROGRESSIVE, int(progressive)]
    done, data = cv2.imencode(".jpg", scene(WIDTH_PX, HEIGHT_PX) if image is None else image, options)
    assert done
    return bytes(data.tobytes())


def without(data: bytes, marker: int) -> bytes:
    """Take all segments of one kind out of the header."""
    kept, at = data[:2], 2
    while data[at + 1] != 0xDA:
        end = at + 2 + struct.unpack_from(">H", data, at + 2)[0]
        kept += b"" if data[at + 1] == marker else data[at:end]
        at = end
    return kept + data[at:]


def with_segment(data: bytes, marker: int, body: bytes) -> bytes:
    """Put a segment right behind the start."""
    return data[:2] + _segment(marker, body) + data[2:]


def scan_at(data: bytes) -> int:
    """Where the first scan's header stands."""
    return data.index(b"\xff\xda")


def says(data: bytes, width_px: int, height_px: int) -> bytes:
    """Forge the size in the frame header."""
    at = _frame_header(data) + 5
    return data[:at] + struct.pack(">HH", height_px, width_px) + data[at + 4 :]


def with_second_size(data: bytes, width_px: int, height_px: int) -> bytes:
    """Forge a second frame header, of another size, before the first scan."""
    start = _frame_header(data)
    end = start + 2 + struct.unpack_from(">H", data, start + 2)[0]
    return data[:end] + says(data, width_px, height_px)[start:end] + data[end:]


def _frame_header(data: bytes) -> int:
    start = re.search(rb"\xff[\xc0-\xc2]..\x08", data, re.DOTALL)
    assert start is not None
    return start.start()


def damaged(data: bytes, chance: random.Random) -> bytes:
    """Do what cables, cameras and drivers do to a frame, and what nobody expects them to."""
    first = chance.choice((2, scan_at(data) + 14))
    at = chance.randrange(first, len(data) - 2)
    size = min(chance.choice((1, 8, 64, 512, 3072)), len(data) - 2 - at)
    kind = chance.randrange(9)
    if kind == 0:  # a lost packet
        return data[:at] + data[at + size :]
    if kind == 1:  # one that came twice
        return data[:at] + data[max(first, at - size) :]
    if kind == 2:
        return data[:at] + bytes(size) + data[at + size :]
    if kind == 3:  # cut, perhaps with an end put on, or the end of the frame before
        return data[:at] + chance.choice((b"", b"\xff\xd9", bytes(size), data[at // 2 :]))
    if kind == 4:
        return data[:at] + b"\xff" * size + data[at:]
    if kind == 5:
        return data[:at] + b"\xff" + bytes([chance.randrange(256)]) + data[at:]
    if kind == 6:
        return data[:at] + chance.randbytes(size) + data[at + size :]
    if kind == 7:
        return data[:at] + chance.randbytes(size)
    flipped = bytearray(data)
    for _ in range(chance.choice((1, 4, 32))):
        flipped[chance.randrange(first, len(flipped))] = chance.randrange(256)
    return bytes(flipped)


def of_four_inks(width_px: int, height_px: int, *, transform: int) -> bytes:
    """An even grey of four components, of which the last is black; `transform` is Adobe's: 0 for CMYK, 2 for YCCK."""
    plain = jpeg(scene(8, 8))
    start, scan = plain.index(b"\xff\xc0"), plain.index(b"\xff\xda")
    sizes = struct.pack(">BHH", 8, height_px, width_px)
    components = b"".join(bytes([number, 0x11, 0]) for number in range(1, 5))
    tables = plain[2:start] + plain[start + 2 + struct.unpack_from(">H", plain, start + 2)[0] : scan]
    blocks = -(-width_px // 8) * -(-height_px // 8) * 4
    bits = "001010" * blocks  # of each: no difference in brightness, and nothing else
    bits += "1" * (-len(bits) % 8)
    return b"".join(
        (
            b"\xff\xd8" + _segment(0xEE, b"Adobe" + struct.pack(">HHHB", 100, 0, 0, transform)) + tables,
            _segment(0xC0, sizes + b"\4" + components),
            _segment(0xDA, b"\4" + b"".join(bytes([number, 0]) for number in range(1, 5)) + b"\0\x3f\0"),
            int(bits, 2).to_bytes(len(bits) // 8, "big") + b"\xff\xd9",
        )
    )


def _segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body
