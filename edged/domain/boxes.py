"""Box arithmetic.

In memory a box is xyxy: left, top, right, bottom in pixels of the frame, right and bottom exclusive. Files and the
store hold tlwh: left, top, width, height. Functions take (N, 4) arrays, N may be 0, and never fail on an empty or
inverted box: its area counts as 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating[Any]]


def area(xyxy: FloatArray) -> FloatArray:
    """Areas of (N, 4) boxes in square pixels, shape (N,)."""
    sides = np.maximum(xyxy[:, 2:] - xyxy[:, :2], 0)
    return np.asarray(sides[:, 0] * sides[:, 1])


def iou(a: FloatArray, b: FloatArray) -> FloatArray:
    """Intersection over union of every box in `a` (N, 4) with every box in `b` (M, 4), shape (N, M), in 0..1."""
    # one coordinate at a time: arrays whose last axis is 2 are slow in numpy
    width = np.minimum(a[:, None, 2], b[None, :, 2]) - np.maximum(a[:, None, 0], b[None, :, 0])
    height = np.minimum(a[:, None, 3], b[None, :, 3]) - np.maximum(a[:, None, 1], b[None, :, 1])
    intersection = np.maximum(width, 0) * np.maximum(height, 0)
    union = area(a)[:, None] + area(b)[None, :] - intersection
    return np.asarray(np.divide(intersection, union, out=np.zeros_like(intersection), where=union > 0))


def xyxy_to_tlwh(xyxy: FloatArray) -> FloatArray:
    """(N, 4) left, top, right, bottom → left, top, width, height."""
    return np.concatenate([xyxy[:, :2], xyxy[:, 2:] - xyxy[:, :2]], axis=1)


def tlwh_to_xyxy(tlwh: FloatArray) -> FloatArray:
    """(N, 4) left, top, width, height → left, top, right, bottom."""
    return np.concatenate([tlwh[:, :2], tlwh[:, :2] + tlwh[:, 2:]], axis=1)


def clip(xyxy: FloatArray, *, width_px: int, height_px: int) -> FloatArray:
    """Cut (N, 4) boxes to the frame."""
    limit = np.array([width_px, height_px, width_px, height_px], dtype=xyxy.dtype)
    return np.asarray(np.clip(xyxy, 0, limit))
