"""A frame: an instant, and pixels on demand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

BgrImage = npt.NDArray[np.uint8]
"""(height, width, 3), blue first, C-contiguous: OpenCV's convention."""

Decode = Callable[[], BgrImage]

DecodePart = Callable[[int, int, int, int], BgrImage]
"""Decode a rectangle, in memory of its own: left, top, right, bottom, the last two excluded."""

LumaImage = npt.NDArray[np.uint8]
"""(height, width): brightness alone."""

DecodeFor = Callable[[int, int], BgrImage]
"""Decode a picture of at least this width and height, smaller than the whole where that costs less."""

DecodeLuma = Callable[[], LumaImage]
"""Decode a thumbnail of about an eighth of the width and height."""

_EIGHTH = 8


class Frame:
    """One picture of a source.

    A frame that nobody looks at is never decoded, and one that is looked at small need not be decoded in full. Whoever
    has a frame gives it back with release(): it may lie in one of the few buffers of a camera's driver. A frame belongs
    to one thread at a time.
    """

    __slots__ = (
        "_decode",
        "_decode_for",
        "_decode_luma",
        "_decode_part",
        "_image",
        "_release",
        "captured_at",
        "height_px",
        "looked_at",
        "seq",
        "width_px",
    )

    def __init__(
        self,
        *,
        seq: int,
        captured_at: float,
        width_px: int,
        height_px: int,
        decode: Decode,
        decode_for: DecodeFor | None = None,
        decode_luma: DecodeLuma | None = None,
        decode_part: DecodePart | None = None,
        release: Callable[[], None] | None = None,
    ) -> None:
        """`seq` counts the source's frames from 0, given out or not; `captured_at` is monotonic seconds."""
        self.seq = seq
        self.captured_at = captured_at
        self.width_px = width_px
        self.height_px = height_px
        self._decode: Decode | None = decode
        self._decode_for = decode_for
        self._decode_luma = decode_luma
        self._decode_part = decode_part
        self._release = release
        self._image: BgrImage | None = None
        self.looked_at: BgrImage | None = None
        """The picture as somebody last got it, whole or small; None when nobody did. Do not write into it."""

    @classmethod
    def of(cls, image: BgrImage) -> Frame:
        """A picture that is decoded already, as a frame."""
        height_px, width_px = image.shape[:2]
        return cls(seq=0, captured_at=0.0, width_px=width_px, height_px=height_px, decode=lambda: image)

    def image(self) -> BgrImage:
        """Return the whole picture, (height_px, width_px, 3) uint8 BGR. Do not write into it. Raises FrameCorrupt."""
        if self._image is None:
            if self._decode is None:
                raise RuntimeError("image() on a frame that was given back")
            self._image = self.looked_at = self._decode()
            self._decode = self._decode_for = self._decode_part = None  # lets go of the decoder's buffer
        return self._image

    def image_for(self, width_px: int, height_px: int) -> BgrImage:
        """Return the whole scene in whatever size costs least: at least that large, or as large as it is.

        (H, W, 3) uint8 BGR, for somebody who will scale it anyway. Do not write into it. Raises FrameCorrupt.
        """
        small = width_px < self.width_px and height_px < self.height_px
        if small and self._image is None and self._decode_for is not None:
            self.looked_at = self._decode_for(width_px, height_px)
            return self.looked_at
        return self.image()

    def part(self, left: int, top: int, right: int, bottom: int) -> BgrImage:
        """Copy a rectangle of the picture, which is decoded only there where the source can do that.

        In pixels, at least one of them and all inside the picture. (bottom - top, right - left, 3) uint8 BGR. Raises
        FrameCorrupt.
        """
        if self._image is None and self._decode_part is not None:
            return self._decode_part(left, top, right, bottom)
        return np.array(self.image()[top:bottom, left:right])

    def luma(self) -> LumaImage:
        """Return a thumbnail of about an eighth of the width and height, as cheap as the source can make it.

        (H, W) uint8, in memory of its own, for somebody who asks what moved. Raises FrameCorrupt.
        """
        if self._decode_luma is not None:
            return self._decode_luma()
        image = self.image_for(self.width_px // _EIGHTH, self.height_px // _EIGHTH)
        coarse = max(1, image.shape[1] * _EIGHTH // self.width_px)
        luma: LumaImage = image[::coarse, ::coarse, 1].copy()  # green is most of what the eye calls bright
        return luma

    def release(self) -> None:
        """Give the frame back. Harmless when done already; a picture that was looked at stays valid."""
        give_back, self._release = self._release, None
        self._decode = self._decode_for = self._decode_luma = self._decode_part = None
        if give_back is not None:
            give_back()
