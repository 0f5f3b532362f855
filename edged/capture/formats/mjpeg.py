"""JPEG frames of a camera.

libjpeg-turbo, through OpenCV, takes a frame that ends early for one that is grey below, and says so on stderr only;
some cameras fill a journal that way. It is silent about data without an end marker: it waits for more, and OpenCV gives
up. So plain frames are given to it without. The rest (restart markers, of which libjpeg complains, and whatever is
seldom) goes to FFmpeg.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from edged.capture.formats.jpeg_header import JpegHeader, parse_header, scan_end
from edged.capture.formats.planes import Plane, check_count
from edged.capture.formats.strict_jpeg import StrictJpegDecoder
from edged.domain.frame import BgrImage, LumaImage
from edged.errors import FrameCorrupt

_END = b"\xff\xd9"
_LOOK_AHEAD = bytes(8)  # libjpeg-turbo fills a register of 64 bits before it decodes the last code
_REDUCTIONS = (  # halvings
    (3, cv2.IMREAD_REDUCED_COLOR_8),
    (2, cv2.IMREAD_REDUCED_COLOR_4),
    (1, cv2.IMREAD_REDUCED_COLOR_2),
    (0, cv2.IMREAD_COLOR),
)


class MjpegDecoder:
    """Motion JPEG and JPEG: a PixelDecoder that leaves out the detail which a smaller picture does not show.

    Frames without Huffman tables get the standard ones, the EXIF orientation is left alone, what follows the end marker
    is ignored. A frame is refused when its data end too early, or cannot be codes; a fault in the middle after which
    enough codes follow cannot be told from a picture.
    """

    def __init__(self, *, width_px: int, height_px: int) -> None:
        self._width_px = width_px
        self._height_px = height_px
        self._strict = StrictJpegDecoder(width_px=width_px, height_px=height_px)

    def decode(self, planes: Sequence[Plane]) -> BgrImage:
        """Return the whole picture; see PixelDecoder."""
        return self.decode_for(planes, self._width_px, self._height_px)

    def decode_for(self, planes: Sequence[Plane], width_px: int, height_px: int) -> BgrImage:
        """Return the whole scene in an eighth, a quarter, half or all of its size; see PixelDecoder."""
        check_count(planes, 1)
        data = planes[0].tobytes()
        header = self._header(data)
        width_px, height_px = min(width_px, self._width_px), min(height_px, self._height_px)
        if header.plain:
            image = self._plain(data, header, width_px, height_px)
        else:
            image = self._strict.decode_for(data, width_px, height_px) if _END in data[header.data_at :] else None
        if image is None:
            raise _corrupt(f"its {len(data)} bytes are cut short or make no sense")
        return image

    def luma(self, planes: Sequence[Plane]) -> LumaImage:
        """Return the scene in an eighth of its size, colours left out; see PixelDecoder."""
        check_count(planes, 1)
        data = planes[0].tobytes()
        header = self._header(data)
        if not header.plain:
            green: LumaImage = self.decode_for(planes, self._width_px // 8, self._height_px // 8)[:, :, 1].copy()
            return green
        image: Any = _decode(data, header, cv2.IMREAD_REDUCED_GRAYSCALE_8)
        if image is None:
            raise _corrupt(f"its {len(data)} bytes are cut short or make no sense")
        luma: LumaImage = image
        return luma

    def _header(self, data: bytes) -> JpegHeader:
        header = parse_header(data)
        if header is None:
            raise _corrupt(f"its {len(data)} bytes are no JPEG")
        if (header.width_px, header.height_px) != (self._width_px, self._height_px):
            raise _corrupt(
                f"it says {header.width_px} × {header.height_px} pixels instead of {self._width_px} × {self._height_px}"
            )
        return header

    def _plain(self, data: bytes, header: JpegHeader, width_px: int, height_px: int) -> BgrImage | None:
        halvings, flag = next(
            (step, flag)
            for step, flag in _REDUCTIONS
            if self._width_px >> step >= width_px and self._height_px >> step >= height_px
        )
        image: Any = _decode(data, header, flag)
        expected = (-(-self._height_px >> halvings), -(-self._width_px >> halvings), 3)
        if image is None or image.shape != expected:
            return None
        bgr: BgrImage = image
        return bgr


def _decode(data: bytes, header: JpegHeader, flag: int) -> Any:
    end = scan_end(data, header.data_at)
    if end is None:
        return None
    endless = np.frombuffer(b"".join((header.essential, data[header.data_at : end], _LOOK_AHEAD)), np.uint8)
    try:
        return cv2.imdecode(endless, flag | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        return None


def _corrupt(reason: str) -> FrameCorrupt:
    return FrameCorrupt(
        f"a JPEG frame of the camera cannot be decoded: {reason}",
        hint="Nothing needs doing unless it happens often; then try another cable or port, or a smaller size.",
    )
