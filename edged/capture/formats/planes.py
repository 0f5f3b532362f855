"""Memory planes as rows of samples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from edged.errors import FrameCorrupt

Plane = npt.NDArray[np.uint8]
"""1-D bytes that a driver filled."""


def rows(
    plane: Plane, *, height_px: int, width_px: int, stride_bytes: int, channels: int = 1, offset: int = 0
) -> npt.NDArray[np.uint8]:
    """View samples whose rows begin `stride_bytes` apart as (height_px, width_px), or with channels as a third axis.

    Nothing is copied; what pads the last row may be missing. Raises FrameCorrupt when the plane is cut short.
    """
    needed = offset + stride_bytes * (height_px - 1) + width_px * channels
    if plane.size < needed:
        raise FrameCorrupt(
            f"the camera gave {plane.size} bytes of a frame that has {needed}",
            hint="Nothing needs doing unless it happens often; then try another cable or port, or a smaller size.",
        )
    shape: tuple[int, ...] = (height_px, width_px, channels)
    strides: tuple[int, ...] = (stride_bytes, channels, 1)
    if channels == 1:
        shape, strides = shape[:2], strides[:2]
    samples: npt.NDArray[np.uint8] = np.ndarray(shape, np.uint8, buffer=plane, offset=offset, strides=strides)
    return samples


def check_count(planes: Sequence[Plane], count: int) -> None:
    """Raise FrameCorrupt unless there are so many memory planes."""
    if len(planes) != count:
        raise FrameCorrupt(
            f"the camera gave a frame in {len(planes)} memory planes instead of {count}",
            hint="Nothing needs doing unless it happens often; then choose another pixel format.",
        )
