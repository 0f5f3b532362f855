"""A plane of brightness, made small for whoever asks what moved."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edged.domain.frame import LumaImage

_EVERY = 4  # sample of a row and row: what is not touched is not fetched from memory either
_THEN = 2  # so many samples are averaged across and down


def thumbnail(luma: npt.NDArray[np.uint8]) -> LumaImage:
    """(H, W) of any strides → about (H / 8, W / 8), in memory of its own: four samples of 64 pixels, averaged."""
    samples = np.ascontiguousarray(luma[::_EVERY, ::_EVERY])
    height, width = (max(1, side // _THEN) for side in samples.shape)
    small: Any = cv2.resize(samples, (width, height), interpolation=cv2.INTER_AREA)
    result: LumaImage = small
    return result
