"""Non-maximum suppression: of boxes of one class that overlap, only the most confident stays."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edged.domain.detections import Detections

MAX_CANDIDATES = 1000
"""Only so many of the most confident boxes are compared with each other: 1000 need about 20 MB for a moment, and no
picture has as many objects."""


def suppress(found: Detections, *, iou: float, max_detections: int, max_candidates: int = MAX_CANDIDATES) -> Detections:
    """Keep the best of overlapping boxes, class by class, most confident first; equal confidences keep their order.

    A box goes when its IoU with a better box of its class that stays is above `iou` (0..1). At most `max_detections`
    boxes stay.
    """
    ranks = _ranks(found, max_candidates)
    if len(ranks) < 2:
        return found[ranks[:max_detections]]
    rivals = _overlap(found.xyxy.T.take(ranks, axis=1), above=iou)
    # Comparing the classes instead of shifting each class to a place of its own keeps the coordinates exact.
    class_id = found.class_id[ranks]
    rivals &= class_id[:, None] == class_id
    gone: set[int] = set()
    for rank in range(len(ranks)):
        if rank not in gone:
            gone.update((rivals[rank, rank + 1 :].nonzero()[0] + (rank + 1)).tolist())
    stays = [rank for rank in range(len(ranks)) if rank not in gone]
    return found[ranks[stays[:max_detections]]]


def best(found: Detections, count: int) -> Detections:
    """The `count` most confident, in that order; equal confidences keep their order."""
    return found[_ranks(found, count)]


def _ranks(found: Detections, count: int) -> npt.NDArray[np.intp]:
    return np.argsort(-found.confidence, kind="stable")[:count]


def _overlap(edges: npt.NDArray[np.float32], *, above: float) -> npt.NDArray[np.bool_]:
    """Say which pairs of boxes (4, N) left, top, right, bottom have an IoU greater than `above`, (N, N).

    A box without width or height overlaps nothing. The layout keeps the long axis last, where numpy is fast.
    """
    sides = np.minimum(edges[2:, :, None], edges[2:, None, :])
    sides -= np.maximum(edges[:2, :, None], edges[:2, None, :])
    np.maximum(sides, 0, out=sides)
    common = np.multiply(sides[0], sides[1], out=sides[0])
    area = common.diagonal()
    union = np.add(area[:, None], area, out=sides[1])
    union -= common
    wanted = np.multiply(union, np.float32(above), out=union)
    return np.asarray(common > wanted)
