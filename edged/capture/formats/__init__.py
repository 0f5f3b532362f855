"""From the bytes of a camera's buffer to pictures, in no larger a size than somebody needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from edged.capture.formats.colour import Colours
from edged.capture.formats.mjpeg import MjpegDecoder
from edged.capture.formats.planes import Plane
from edged.capture.formats.raw import BgrDecoder, GreyDecoder, PackedDecoder, PlanarDecoder, SemiPlanarDecoder
from edged.domain.frame import BgrImage, LumaImage

__all__ = ["SUPPORTED", "PixelDecoder", "Plane", "pixel_decoder"]

SUPPORTED = ("NV12", "NM12", "YU12", "YM12", "YUYV", "UYVY", "BGR3", "MJPG", "JPEG", "GREY")
"""The pixel formats that pixel_decoder knows, by their V4L2 four-character codes, by what a picture costs: less memory
to read first, then what must be decompressed. GREY is last, because a detector misses the colours."""


class PixelDecoder(Protocol):
    """Turns the memory planes of one buffer into a picture; never writes into them.

    May be asked by several threads.
    """

    def decode(self, planes: Sequence[Plane]) -> BgrImage:
        """Return the whole picture, (H, W, 3) uint8 BGR in memory of its own. Raises FrameCorrupt.

        `planes` are 1-D uint8 views, one a memory plane, cut to the bytes that the driver filled.
        """
        ...

    def decode_for(self, planes: Sequence[Plane], width_px: int, height_px: int) -> BgrImage:
        """Return the whole scene in a size of at least `width_px` × `height_px` that costs little.

        As large as it is where that is smaller. Uncompressed formats come in exactly the size asked for, scaled as
        cv2.resize with INTER_LINEAR does it. Memory of its own. Raises FrameCorrupt.
        """
        ...

    def luma(self, planes: Sequence[Plane]) -> LumaImage:
        """Return a thumbnail, (H / 8, W / 8) uint8 of brightness, roughly. Memory of its own. Raises FrameCorrupt."""
        ...


def pixel_decoder(
    fourcc: str, *, width_px: int, height_px: int, stride_bytes: int, full_range: bool, bt709: bool
) -> PixelDecoder:
    """Choose the decoder for one of SUPPORTED, as the driver answered VIDIOC_S_FMT.

    `stride_bytes` is `bytesperline` of the first plane, 0 for rows without padding and for compressed formats.
    `full_range` and `bt709` say how Y'CbCr is to be read (V4L2_QUANTIZATION_FULL_RANGE, V4L2_YCBCR_ENC_709; else
    limited range, BT.601). They do not matter to JPEG, which is always BT.601 in full range (JFIF 1.02), whatever a
    driver says, nor to grey and BGR, which are passed on as they are. Raises ValueError for another format.
    """
    if fourcc in ("MJPG", "JPEG"):
        return MjpegDecoder(width_px=width_px, height_px=height_px)
    size = {"width_px": width_px, "height_px": height_px, "stride_bytes": stride_bytes}
    colours = Colours(full_range=full_range, bt709=bt709)
    if fourcc in ("NV12", "NM12"):
        return SemiPlanarDecoder(**size, colours=colours, planes=1 if fourcc == "NV12" else 2)
    if fourcc in ("YU12", "YM12"):
        return PlanarDecoder(**size, colours=colours, planes=1 if fourcc == "YU12" else 3)
    if fourcc in ("YUYV", "UYVY"):
        return PackedDecoder(**size, colours=colours, luma_first=fourcc == "YUYV")
    if fourcc == "BGR3":
        return BgrDecoder(**size)
    if fourcc == "GREY":
        return GreyDecoder(**size)
    raise ValueError(f"{fourcc!r} is none of {', '.join(SUPPORTED)}")
