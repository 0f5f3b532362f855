"""What the student should say for each grid cell: the teacher's answers, mended where people drew boxes.

Scores are soft: a cell that half sees a person should say so. Where an annotator drew a box, its best cells are raised
and pointed at that box; where an annotator who boxed every object of a class drew none, the teacher's belief in that
class is halved, not erased: annotators miss things too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from edged.domain import boxes as box_math
from edged.optimize import grid
from edged.optimize.augment import View
from edged.optimize.classes import COCO_IDS, VEHICLE_IDS
from edged.optimize.grid import BINS, Floats

CELLS_A_BOX = 6
LEAST_SIDE_PX = 5.0
FAIR_IOU = 0.5
MENDED = tuple(COCO_IDS[name] for name in ("person", "bicycle", "car", "motorcycle", "bus", "truck", "cat", "dog"))


def make_targets(scores: Floats, distribution: Floats, view: View) -> tuple[Floats, Floats]:
    """Turn the teacher's (80, A) scores and (32, A) box distributions into targets (81, A) and (32, A)."""
    scores, distribution = scores.copy(), distribution.copy()
    size = len(view.image)
    centres, strides = grid.cells(size, size)
    seen = grid.boxes(distribution, size, size)
    _doubt(scores, seen, view)
    for xyxy, class_id in zip(view.xyxy, view.class_id, strict=True):
        if class_id not in MENDED or (xyxy[2:] - xyxy[:2]).min() < LEAST_SIDE_PX:
            continue
        rows, quality = _cells_for(xyxy, scores[class_id], seen, centres, strides)
        scores[class_id, rows] = np.maximum(scores[class_id, rows], quality)
        reach = np.concatenate([centres[rows] - xyxy[:2], xyxy[2:] - centres[rows]], axis=1) / strides[rows, None]
        distribution[:, rows] += np.float32(0.7) * (two_hot(reach) - distribution[:, rows])
    vehicle = scores[list(VEHICLE_IDS)].max(axis=0, keepdims=True)
    return np.concatenate([scores, vehicle]), distribution


def _doubt(scores: Floats, seen: Floats, view: View) -> None:
    """Halve the teacher's scores for objects that a thorough annotator did not box."""
    for class_id in view.scope.intersection(MENDED):
        alike = VEHICLE_IDS if class_id in VEHICLE_IDS else (class_id,)
        rows = np.flatnonzero(scores[class_id] > 0.1)
        overlap = box_math.iou(seen[rows], view.xyxy[np.isin(view.class_id, alike)])
        scores[class_id, rows[overlap.max(axis=1, initial=0) < 0.4]] *= 0.5


def _cells_for(
    xyxy: Floats, scores: Floats, seen: Floats, centres: Floats, strides: Floats
) -> tuple[npt.NDArray[np.intp], Floats]:
    """Pick the cells that should answer for a box, and how sure each should be.

    Cells where the teacher already sees it, best first; if it sees nothing, those nearest the middle on the level
    where the box measures about five strides.
    """
    inside = np.flatnonzero(((centres > xyxy[:2]) & (centres < xyxy[2:])).all(axis=1))
    overlap = box_math.iou(seen[inside], xyxy[None])[:, 0]
    if overlap.max(initial=0) >= FAIR_IOU and scores[inside].min() > 0:
        merit = np.where(overlap >= FAIR_IOU, np.sqrt(scores[inside]) * overlap**3, 0)
        best = np.argsort(-merit)[:CELLS_A_BOX]
        best = best[merit[best] > 0]
        return inside[best], np.asarray(overlap[best] * (merit[best] / merit[best[0]]) ** 0.5, np.float32)
    level = 2 ** np.clip(np.round(np.log2((xyxy[2:] - xyxy[:2]).max() / 5)), 3, 6)
    middle = (xyxy[:2] + xyxy[2:]) / 2
    away = np.abs(centres - middle).max(axis=1) / strides
    rows = np.flatnonzero((strides == level) & (away < 1.0))
    return rows, np.full(len(rows), 0.6, np.float32)


def two_hot(reach: npt.NDArray[np.floating[Any]]) -> Floats:
    """Distances (n, 4) in strides as distributions (32, n) over the two neighbouring bins."""
    reach = np.clip(reach, 0, BINS - 1.001)
    below = reach.astype(np.intp)
    spread = np.zeros((*reach.shape, BINS), np.float32)
    np.put_along_axis(spread, below[..., None], (below + 1 - reach)[..., None], axis=2)
    np.put_along_axis(spread, below[..., None] + 1, (reach - below)[..., None], axis=2)
    return np.asarray(spread.reshape(len(reach), -1).T)


def flip_targets(scores: Floats, distribution: Floats, size_px: int) -> tuple[Floats, Floats]:
    """The targets of the picture's mirror image."""
    order = _mirrored(size_px)
    sides = distribution.reshape(4, BINS, -1)[[2, 1, 0, 3]].reshape(4 * BINS, -1)
    return scores[:, order], sides[:, order]


def _mirrored(size_px: int) -> npt.NDArray[np.intp]:
    start, parts = 0, []
    for stride in grid.STRIDES:
        side = -(-size_px // stride)
        parts.append(np.arange(start, start + side * side).reshape(side, side)[:, ::-1].ravel())
        start += side * side
    return np.concatenate(parts)
