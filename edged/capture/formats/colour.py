"""Y'CbCr to BGR.

Sources: ITU-R BT.601-7 and BT.709-6 (coefficients and quantisation), JFIF 1.02 (full range).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edged.domain.frame import BgrImage


class Colours:
    """What Y', Cb and Cr mean, as one matrix."""

    def __init__(self, *, full_range: bool, bt709: bool) -> None:
        self.opencv = not (full_range or bt709)
        """Whether OpenCV's own conversions, which are made for one meaning only, will do."""
        self._matrix = _matrix(full_range=full_range, bt709=bt709)

    def bgr(self, y_cb_cr: BgrImage) -> BgrImage:
        """(H, W, 3) uint8 of Y', Cb and Cr → (H, W, 3) uint8 BGR, in new memory."""
        image: Any = cv2.transform(y_cb_cr, self._matrix)
        bgr: BgrImage = image
        return bgr

    def bgr_of_planes(self, y_cb_cr: Sequence[npt.NDArray[np.uint8]], width_px: int, height_px: int) -> BgrImage:
        """Scale three planes of any sizes to `width_px` × `height_px`, then convert: the dear step is done last.

        Each plane is taken to cover the whole scene: chroma lies in the middle of its luma samples, as in JPEG.
        """
        return self.bgr(cv2.merge([scaled(plane, width_px, height_px) for plane in y_cb_cr]))  # type: ignore[arg-type]


def small_bgr_of_420(
    y: npt.NDArray[np.uint8], cb: npt.NDArray[np.uint8], cr: npt.NDArray[np.uint8], width_px: int, height_px: int
) -> BgrImage:
    """Scale y (H, W), cb and cr (H / 2, W / 2) of BT.601, limited range, to `width_px` × `height_px`, then convert.

    Chroma stays at half the size: a third cheaper than Colours.bgr_of_planes, and as good for a detector.
    """
    even_w, even_h = width_px + width_px % 2, height_px + height_px % 2
    small = np.empty((even_h * 3 // 2, even_w), np.uint8)
    luma, chroma = small[:even_h], small[even_h:].reshape(2, even_h // 2, even_w // 2)
    for plane, target in ((y, luma), (cb, chroma[0]), (cr, chroma[1])):
        cv2.resize(plane, target.shape[::-1], dst=target, interpolation=cv2.INTER_LINEAR)
    image: Any = cv2.cvtColor(small, cv2.COLOR_YUV2BGR_I420)
    return scaled(image, width_px, height_px)


def scaled(image: npt.NDArray[np.uint8], width_px: int, height_px: int) -> npt.NDArray[np.uint8]:
    """Scale (H, W) or (H, W, C) linearly; the same array when it has that size already."""
    if image.shape[1::-1] == (width_px, height_px):
        return image
    small: Any = cv2.resize(image, (width_px, height_px), interpolation=cv2.INTER_LINEAR)
    result: npt.NDArray[np.uint8] = small
    return result


def _matrix(*, full_range: bool, bt709: bool) -> npt.NDArray[np.float32]:
    """(3, 4): B, G and R of Y', Cb, Cr and 1."""
    red, blue = (0.2126, 0.0722) if bt709 else (0.299, 0.114)
    green = 1 - red - blue
    luma, chroma = (1.0, 1.0) if full_range else (255 / 219, 255 / 224)
    of_blue = 2 * (1 - blue) * chroma  # how much B gains by Cb
    of_red = 2 * (1 - red) * chroma  # how much R gains by Cr
    weights = np.array(
        [[luma, of_blue, 0], [luma, -of_blue * blue / green, -of_red * red / green], [luma, 0, of_red]], np.float64
    )
    black = np.array([0 if full_range else 16, 128, 128])
    return np.column_stack([weights, -weights @ black]).astype(np.float32)
