"""Which track goes on with which detection: overlap, and the best matching of one to one."""

from __future__ import annotations

from typing import Any

import lap
import numpy as np
import numpy.typing as npt

from edged.domain import boxes

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.intp]


def overlap(a: Floats, b: Floats) -> Floats:
    """Overlap of boxes `a` (4, N) with boxes `b` (4, M) left, top, right, bottom, as boxes.overlap; (N, M), at most 1.

    A box counts as one pixel wider and higher than it is, as in ByteTrack's own code, because its right and bottom
    pixel are taken as inside; small boxes depend on it. So no box is without area.
    """
    return boxes.overlap(_with_last_pixel(a), _with_last_pixel(b))


def level(a: Floats, b: Floats) -> Floats:
    """How far boxes `a` (4, N) and `b` (4, M) stand on one level: their heights' intersection over union, (N, M), 0..1.

    Who stands nearer to the camera is taller and reaches lower, so of two people who cross it tells which is which,
    where the overlap of a box that was predicted over a gap is as good with one as with the other. Source: Yang et al.
    2024, "Hybrid-SORT: Weak Cues Matter for Online Multi-Object Tracking", height modulated IoU.
    """
    top, bottom = a[1][:, None], a[3][:, None]
    common = np.minimum(bottom, b[3]) - np.maximum(top, b[1])
    both: Floats = np.maximum(bottom, b[3]) - np.minimum(top, b[1])
    shared: Floats = np.maximum(common, 0) / both
    return shared


def match(likeness: npt.NDArray[np.floating[Any]], least: float) -> tuple[Rows, Rows]:
    """Pair rows with columns, each at most once, for the greatest sum of (likeness - least) over pairs above `least`.

    That is what the assignment problem with a cost limit means (lap's `cost_limit`, which solves a matrix of twice the
    size for it). Returns row and column indices, ordered by row. `likeness` (N, M) is without NaN.
    """
    if not likeness.size:
        nothing = np.empty(0, np.intp)
        return nothing, nothing
    rows = (likeness.max(axis=1) > least).nonzero()[0]
    wanted = likeness.argmax(axis=1)[rows]
    if len(set(wanted.tolist())) == len(rows):
        return rows, wanted  # nobody wants the same: each row's best is the best of all
    return _settle(likeness, rows, least)


def _settle(likeness: npt.NDArray[np.floating[Any]], rows: Rows, least: float) -> tuple[Rows, Rows]:
    """Solve the assignment problem for these rows. What lies under `least` is flattened: it is as good as no pair."""
    rivals = likeness[rows]
    cost = np.maximum(rivals, least)
    column_of, _ = lap.lapjv(np.negative(cost, out=cost), extend_cost=True, return_cost=False)
    chosen = (column_of >= 0).nonzero()[0]
    columns = column_of[chosen].astype(np.intp)
    above = rivals[chosen, columns] > least
    return rows[chosen[above]], columns[above]


def _with_last_pixel(edges: Floats) -> Floats:
    padded: Floats = edges.copy()
    padded[2:] += 1
    return padded
