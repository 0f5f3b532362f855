"""Box arithmetic.

In memory a box is xyxy: left, top, right, bottom in pixels of the frame, right and bottom exclusive. Files and the
store hold tlwh: left, top, width, height. Functions take (N, 4) arrays where nothing else is said, N may be 0, and
never fail on an empty or inverted box: its area counts as 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating[Any]]


def area(xyxy: FloatArray) -> FloatArray:
    """Areas of (N, 4) boxes in square pixels, shape (N,)."""
    return _areas(_upright(xyxy))


def iou(a: FloatArray, b: FloatArray) -> FloatArray:
    """Intersection over union of every box in `a` (N, 4) with every box in `b` (M, 4), shape (N, M), in 0..1."""
    with np.errstate(invalid="ignore"):  # two boxes without area: 0 / 0
        shared = overlap(_upright(a), _upright(b))
    return np.nan_to_num(np.maximum(shared, 0, out=shared), copy=False)


def overlap(a: FloatArray, b: FloatArray) -> FloatArray:
    """iou() for an inner loop: boxes `a` (4, N) with boxes `b` (4, M), none without area; of those apart 0 or less."""
    sides = np.minimum(a[2:, :, None], b[2:, None, :])
    sides -= np.maximum(a[:2, :, None], b[:2, None, :])
    np.maximum(sides[0], 0, out=sides[0])
    common: FloatArray = np.multiply(sides[0], sides[1], out=sides[0])
    union = np.add(_areas(a)[:, None], _areas(b), out=sides[1])
    union -= common
    common /= union
    return common


def xyxy_to_tlwh(xyxy: FloatArray) -> FloatArray:
    """(N, 4) left, top, right, bottom → left, top, width, height."""
    return np.concatenate([xyxy[:, :2], xyxy[:, 2:] - xyxy[:, :2]], axis=1)


def tlwh_to_xyxy(tlwh: FloatArray) -> FloatArray:
    """(N, 4) left, top, width, height → left, top, right, bottom."""
    return np.concatenate([tlwh[:, :2], tlwh[:, :2] + tlwh[:, 2:]], axis=1)


def _upright(xyxy: FloatArray) -> FloatArray:
    """(N, 4) → (4, N), an inverted box made an empty one."""
    edges: FloatArray = xyxy.T.astype(np.result_type(xyxy, np.float32))
    np.maximum(edges[2:], edges[:2], out=edges[2:])
    return edges


def _areas(edges: FloatArray) -> FloatArray:
    sides = edges[2:] - edges[:2]
    areas: FloatArray = sides[0] * sides[1]
    return areas


def clip(xyxy: FloatArray, *, width_px: int, height_px: int) -> FloatArray:
    """Cut (N, 4) boxes to the frame."""
    limit = np.array([width_px, height_px, width_px, height_px], dtype=xyxy.dtype)
    return np.asarray(np.clip(xyxy, 0, limit))
