"""Snapshots: a piece of a frame, as JPEG."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from edged.domain.frame import BgrImage, Frame
from edged.errors import OutputNotWritable


def encode_jpeg(image: BgrImage, *, quality: int) -> bytes:
    """Encode an (H, W, 3) uint8 BGR picture; `quality` is 1..100. Raises OutputNotWritable when it cannot be a JPEG."""
    try:
        done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    except cv2.error as error:
        raise _not_a_jpeg(image) from error
    if not done:
        raise _not_a_jpeg(image)
    return bytes(data.tobytes())


def crop_with_margin(frame: Frame, xyxy: Sequence[float], *, margin: float = 0.25, max_side_px: int = 480) -> BgrImage:
    """Copy the box out of the picture, with `margin` of its larger side around it, at most `max_side_px` long.

    The crop stays inside the picture and is at least one pixel, also for a box that lies outside or has no area. The
    copy lets go of the whole frame. Raises FrameCorrupt.
    """
    left, top, right, bottom = xyxy
    around = margin * max(right - left, bottom - top, 0.0)
    x0, x1 = _span(left - around, right + around, frame.width_px)
    y0, y1 = _span(top - around, bottom + around, frame.height_px)
    return shrink(frame.part(x0, y0, x1, y1), max_side_px=max_side_px)


def shrink(image: BgrImage, *, max_side_px: int) -> BgrImage:
    """Copy the picture, scaled down, if need be, so that its longer side is `max_side_px`; never scaled up."""
    height_px, width_px = image.shape[:2]
    scale = max_side_px / max(height_px, width_px)
    if scale >= 1:
        return np.array(image, order="C")
    size = (max(1, round(width_px * scale)), max(1, round(height_px * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _span(low: float, high: float, size_px: int) -> tuple[int, int]:
    """Whole pixels from `low` to `high` inside 0..size_px, at least one."""
    first = int(min(max(np.floor(low), 0), size_px - 1))
    last = int(max(min(np.ceil(high), size_px), first + 1))
    return first, last


def _not_a_jpeg(image: BgrImage) -> OutputNotWritable:
    shape = " × ".join(map(str, image.shape))
    return OutputNotWritable(
        f"a picture of {shape} {image.dtype} cannot be written as JPEG",
        hint="JPEG holds at most 65500 pixels a side: scale the source down.",
    )
