"""Which track goes on with which detection: overlap, and the best matching of one to one."""

from __future__ import annotations

import lap
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.intp]


def overlap(a: Floats, b: Floats) -> Floats:
    """Intersection over union of boxes `a` (4, N) with boxes `b` (4, M) left, top, right, bottom; (N, M), at most 1.

    A box counts as one pixel wider and higher than it is, as in ByteTrack's own code, because its right and bottom
    pixel are taken as inside; small boxes depend on it. So no box is without area. Boxes apart give 0 or less.
    """
    a, b = _with_last_pixel(a), _with_last_pixel(b)
    sides = np.minimum(a[2:, :, None], b[2:, None, :])
    sides -= np.maximum(a[:2, :, None], b[:2, None, :])
    np.maximum(sides[0], 0, out=sides[0])
    common = np.multiply(sides[0], sides[1], out=sides[0])
    union = np.add(_area(a)[:, None], _area(b), out=sides[1])
    union -= common
    common /= union
    return common


def match(likeness: Floats, least: float) -> tuple[Rows, Rows]:
    """Pair rows with columns, each at most once, for the greatest sum of (likeness - least) over pairs above `least`.

    That is what the assignment problem with a cost limit (lap's `cost_limit`) means. Flattening everything up to
    `least` says the same to a solver without a limit, on a matrix of a quarter of the size.
    Returns row and column indices, ordered by row. Costs and `likeness` are without NaN.
    """
    if not likeness.size:
        nothing = np.empty(0, np.intp)
        return nothing, nothing
    cost = np.maximum(likeness, least)
    column_of, _ = lap.lapjv(np.negative(cost, out=cost), extend_cost=True, return_cost=False)
    rows = (column_of >= 0).nonzero()[0]
    columns = column_of[rows].astype(np.intp)
    above = likeness[rows, columns] > least
    return rows[above], columns[above]


def _with_last_pixel(edges: Floats) -> Floats:
    padded = edges.copy()
    padded[2:] += 1
    return padded


def _area(edges: Floats) -> Floats:
    sides = edges[2:] - edges[:2]
    return sides[0] * sides[1]
