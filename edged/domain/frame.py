"""A frame: an instant, and pixels on demand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

BgrImage = npt.NDArray[np.uint8]
"""(height, width, 3), blue first, C-contiguous: OpenCV's convention."""


class Frame:
    """One picture of a source.

    A frame that nobody looks at is never decoded: `image()` does the work on its first call and remembers the answer.
    It may raise FrameCorrupt. A frame belongs to one thread at a time.
    """

    __slots__ = ("_decode", "_image", "captured_at", "height_px", "seq", "width_px")

    def __init__(
        self, *, seq: int, captured_at: float, width_px: int, height_px: int, decode: Callable[[], BgrImage]
    ) -> None:
        """`seq` counts the source's frames from 0, those that were skipped too; `captured_at` is monotonic seconds."""
        self.seq = seq
        self.captured_at = captured_at
        self.width_px = width_px
        self.height_px = height_px
        self._decode: Callable[[], BgrImage] | None = decode
        self._image: BgrImage | None = None

    def image(self) -> BgrImage:
        """Return the picture, (height_px, width_px, 3) uint8 BGR. Do not write into it."""
        if self._image is None:
            assert self._decode is not None
            self._image = self._decode()
            self._decode = None  # lets go of the decoder's buffer
        return self._image
