"""Small BGR pictures straight from planar YUV 4:2:0: what is thrown away is never converted."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edged.domain.frame import BgrImage

Plane = npt.NDArray[np.uint8]


def shrink(y: Plane, u: Plane, v: Plane, width_px: int, height_px: int) -> BgrImage:
    """Scale a picture to `width_px` × `height_px`, then convert it.

    y is (H, W), u and v are (H / 2, W / 2), rounded up; rows may be further apart than they are long. The colours are
    those of ITU-R BT.601, limited range. Scaling and conversion are linear, so the order matters to rounding only.
    """
    even_w, even_h = width_px + width_px % 2, height_px + height_px % 2
    small = np.empty((even_h * 3 // 2, even_w), np.uint8)
    luma, chroma = small[:even_h], small[even_h:].reshape(2, even_h // 2, even_w // 2)
    for plane, target in ((y, luma), (u, chroma[0]), (v, chroma[1])):
        cv2.resize(plane, target.shape[::-1], dst=target, interpolation=cv2.INTER_LINEAR)
    bgr: Any = cv2.cvtColor(small, cv2.COLOR_YUV2BGR_I420)
    if (even_w, even_h) != (width_px, height_px):
        bgr = cv2.resize(bgr, (width_px, height_px), interpolation=cv2.INTER_LINEAR)
    image: BgrImage = bgr
    return image
