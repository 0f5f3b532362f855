"""The cells of the four levels, and boxes as distances from their centres. numpy only."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

STRIDES = (8, 16, 32, 64)
BINS = 8

Floats = npt.NDArray[np.float32]


@lru_cache(maxsize=16)
def cells(width_px: int, height_px: int) -> tuple[Floats, Floats]:
    """Centres (A, 2) in pixels and strides (A,) of all cells, finest level first, rows before columns."""
    centres, strides = [], []
    for stride in STRIDES:
        across, down = -(-width_px // stride), -(-height_px // stride)
        y, x = np.mgrid[:down, :across]
        centres.append((np.stack([x, y], axis=-1).reshape(-1, 2) + 0.5) * stride)
        strides.append(np.full(across * down, stride))
    return np.concatenate(centres).astype(np.float32), np.concatenate(strides).astype(np.float32)


def distances(distribution: Floats) -> Floats:
    """Expected left, top, right and bottom distance (4, A), in strides, of box distributions (32, A)."""
    return np.asarray(np.einsum("sba,b->sa", distribution.reshape(4, BINS, -1), np.arange(BINS, dtype=np.float32)))


def boxes(distribution: Floats, width_px: int, height_px: int) -> Floats:
    """Boxes (A, 4) xyxy in pixels of box distributions (32, A)."""
    centres, strides = cells(width_px, height_px)
    reach = distances(distribution).T * strides[:, None]
    return np.concatenate([centres - reach[:, :2], centres + reach[:, 2:]], axis=1)
