"""Uncompressed pixel formats, scaled before they are converted.

Scaling and conversion are linear, so their order matters to rounding only, and to colours that are cut off at black or
white. Each chroma sample is taken to lie in the middle of the pixels that share it, as OpenCV and JPEG have it; where a
camera means the left one of two (MPEG-2), colours are a quarter of a chroma sample, half a pixel, to the right of the
luma. Source: the kernel's Documentation/userspace-api/media/v4l, "Image Formats".
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edged.capture.formats.colour import Colours, scaled
from edged.capture.formats.planes import Plane, check_count, rows
from edged.capture.formats.thumbnail import thumbnail
from edged.domain.frame import BgrImage, LumaImage


class RawDecoder(ABC):
    """What the uncompressed formats have in common: a PixelDecoder that scales to exactly the size asked for."""

    def __init__(self, *, width_px: int, height_px: int, stride_bytes: int, row_bytes: int, planes: int = 1) -> None:
        self._width_px = width_px
        self._height_px = height_px
        self._half_width_px = (width_px + 1) // 2
        self._half_height_px = (height_px + 1) // 2
        self._stride_bytes = max(stride_bytes, row_bytes)  # some drivers say 0, or count pixels
        self._planes = planes

    def decode(self, planes: Sequence[Plane]) -> BgrImage:
        """Return the whole picture; see PixelDecoder."""
        return self.decode_for(planes, self._width_px, self._height_px)

    def decode_for(self, planes: Sequence[Plane], width_px: int, height_px: int) -> BgrImage:
        """Return the whole scene scaled; see PixelDecoder."""
        check_count(planes, self._planes)
        return self._bgr(planes, min(width_px, self._width_px), min(height_px, self._height_px))

    def luma(self, planes: Sequence[Plane]) -> LumaImage:
        """Return the scene in an eighth of its size, colours left out; see PixelDecoder."""
        check_count(planes, self._planes)
        return thumbnail(self._luma(planes))

    def _luma(self, planes: Sequence[Plane]) -> npt.NDArray[np.uint8]:
        """View the brightness of each pixel, (height_px, width_px)."""
        return rows(planes[0], height_px=self._height_px, width_px=self._width_px, stride_bytes=self._stride_bytes)

    @abstractmethod
    def _bgr(self, planes: Sequence[Plane], width_px: int, height_px: int) -> BgrImage: ...


class PackedDecoder(RawDecoder):
    """YUYV and UYVY: two pixels share one Cb and one Cr, all in one row."""

    def __init__(self, *, width_px: int, height_px: int, stride_bytes: int, colours: Colours, luma_first: bool) -> None:
        row_bytes = 2 * (width_px + width_px % 2)
        super().__init__(width_px=width_px, height_px=height_px, stride_bytes=stride_bytes, row_bytes=row_bytes)
        self._colours = colours
        self._luma_at = 0 if luma_first else 1
        self._opencv = cv2.COLOR_YUV2BGR_YUY2 if luma_first else cv2.COLOR_YUV2BGR_UYVY

    def _bgr(self, planes: Sequence[Plane], width_px: int, height_px: int) -> BgrImage:
        size = {"height_px": self._height_px, "stride_bytes": self._stride_bytes}
        pairs = rows(planes[0], width_px=self._half_width_px, channels=4, **size)
        # at just half the width OpenCV's own conversion of the whole costs no more
        if 2 * width_px + self._colours.opencv <= self._width_px and self._width_px % 2 == 0:
            return self._bgr_of_pairs(scaled(pairs, width_px, height_px))
        pixels = rows(planes[0], width_px=2 * self._half_width_px, channels=2, **size)
        if self._colours.opencv:
            image: Any = cv2.cvtColor(pixels, self._opencv)
            return np.ascontiguousarray(scaled(image[:, : self._width_px], width_px, height_px))
        luma: Any = cv2.extractChannel(pixels, self._luma_at)
        chroma: list[Any] = [cv2.extractChannel(pairs, 1 - self._luma_at + 2 * part) for part in (0, 1)]
        return self._colours.bgr_of_planes([luma[:, : self._width_px], *chroma], width_px, height_px)

    def _luma(self, planes: Sequence[Plane]) -> npt.NDArray[np.uint8]:
        size = {"height_px": self._height_px, "stride_bytes": self._stride_bytes}
        return rows(planes[0], width_px=self._width_px, channels=2, **size)[:, :, self._luma_at]

    def _bgr_of_pairs(self, pairs: npt.NDArray[np.uint8]) -> BgrImage:
        """(H, W, 4) of Y, C, Y, C → BGR, both lumas of a pair being one pixel: no picture as wide as the camera's."""
        parts: Any = cv2.split(pairs)
        first, second = parts[self._luma_at :: 2]
        luma: Any = cv2.addWeighted(first, 0.5, second, 0.5, 0.0)
        height_px, width_px = pairs.shape[:2]
        return self._colours.bgr_of_planes([luma, *parts[1 - self._luma_at :: 2]], width_px, height_px)


class SemiPlanarDecoder(RawDecoder):
    """NV12 and NM12: luma, then a Cb and a Cr for each two by two pixels, in rows of the same length."""

    def __init__(self, *, width_px: int, height_px: int, stride_bytes: int, colours: Colours, planes: int) -> None:
        row_bytes = width_px + width_px % 2
        super().__init__(
            width_px=width_px, height_px=height_px, stride_bytes=stride_bytes, row_bytes=row_bytes, planes=planes
        )
        self._colours = colours

    def _bgr(self, planes: Sequence[Plane], width_px: int, height_px: int) -> BgrImage:
        stride = self._stride_bytes
        luma = self._luma(planes)
        chroma = rows(
            planes[-1],
            height_px=self._half_height_px,
            width_px=self._half_width_px,
            channels=2,
            stride_bytes=stride,
            offset=stride * self._height_px if self._planes == 1 else 0,
        )
        cb_cr: Any = cv2.split(chroma)  # first: OpenCV scales two channels at once far slower than two planes
        return self._colours.bgr_of_planes([luma, *cb_cr], width_px, height_px)


class PlanarDecoder(RawDecoder):
    """YU12 and YM12: luma, then Cb and Cr in half the size, in rows of half the length."""

    def __init__(self, *, width_px: int, height_px: int, stride_bytes: int, colours: Colours, planes: int) -> None:
        super().__init__(
            width_px=width_px, height_px=height_px, stride_bytes=stride_bytes, row_bytes=width_px, planes=planes
        )
        self._colours = colours

    def _bgr(self, planes: Sequence[Plane], width_px: int, height_px: int) -> BgrImage:
        luma = self._luma(planes)
        stride = (self._stride_bytes + 1) // 2
        if self._planes == 1:
            offset = self._stride_bytes * self._height_px
            places = [(planes[0], offset), (planes[0], offset + stride * self._half_height_px)]
        else:
            places = [(planes[1], 0), (planes[2], 0)]
        size = {"height_px": self._half_height_px, "width_px": self._half_width_px, "stride_bytes": stride}
        chroma = [rows(plane, offset=offset, **size) for plane, offset in places]
        return self._colours.bgr_of_planes([luma, *chroma], width_px, height_px)


class GreyDecoder(RawDecoder):
    """GREY: one byte a pixel, as the sensor gave it."""

    def __init__(self, *, width_px: int, height_px: int, stride_bytes: int) -> None:
        super().__init__(width_px=width_px, height_px=height_px, stride_bytes=stride_bytes, row_bytes=width_px)

    def _bgr(self, planes: Sequence[Plane], width_px: int, height_px: int) -> BgrImage:
        image: Any = cv2.cvtColor(scaled(self._luma(planes), width_px, height_px), cv2.COLOR_GRAY2BGR)
        bgr: BgrImage = image
        return bgr


class BgrDecoder(RawDecoder):
    """BGR3: three bytes a pixel, blue first."""

    def __init__(self, *, width_px: int, height_px: int, stride_bytes: int) -> None:
        super().__init__(width_px=width_px, height_px=height_px, stride_bytes=stride_bytes, row_bytes=3 * width_px)

    def _bgr(self, planes: Sequence[Plane], width_px: int, height_px: int) -> BgrImage:
        image = self._pixels(planes)
        small = scaled(image, width_px, height_px)
        return small.copy() if small is image else small  # the driver will fill its memory again

    def _luma(self, planes: Sequence[Plane]) -> npt.NDArray[np.uint8]:
        return self._pixels(planes)[:, :, 1]  # green is most of it

    def _pixels(self, planes: Sequence[Plane]) -> npt.NDArray[np.uint8]:
        size = {"height_px": self._height_px, "stride_bytes": self._stride_bytes}
        return rows(planes[0], width_px=self._width_px, channels=3, **size)
