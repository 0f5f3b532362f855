"""Average precision as COCO reckons it (101 recall points, IoU 0.50 to 0.95, at most 100 detections an image).

In numpy alone and without a time limit: an evaluator that gives up on a busy machine measures the machine.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edged.domain import boxes
from edged.domain.detections import Detections

IOU_STEPS = np.linspace(0.5, 0.95, 10)
RECALL_STEPS = np.linspace(0, 1, 101)
MOST_AN_IMAGE = 100


@dataclass(frozen=True, slots=True, eq=False)
class Precision:
    """Average precision (10, classes), a row an IoU step, 0..1; NaN for a class that the truth does not have."""

    table: npt.NDArray[np.float64]

    def at50(self, class_id: int) -> float:
        """AP at IoU 0.5 of a class."""
        return float(self.table[0, class_id])

    def at50_95(self, class_id: int) -> float:
        """AP of a class, averaged over IoU 0.5 to 0.95."""
        return float(self.table[:, class_id].mean())

    @property
    def map50(self) -> float:
        """Mean over the classes at IoU 0.5; NaN when the truth is empty."""
        return _mean(self.table[0])

    @property
    def map50_95(self) -> float:
        """Mean over the classes and IoU steps; NaN when the truth is empty."""
        return _mean(self.table.mean(axis=0))


def _mean(values: npt.NDArray[np.float64]) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def average_precision(
    found: Sequence[Detections],
    truth: Sequence[Detections],
    classes: int,
    *,
    scopes: Sequence[Collection[int]] | None = None,
) -> Precision:
    """Compare what was found with what is there, image for image.

    `truth` is held as Detections too; its confidence is not looked at. `scopes` names for each image the classes of
    which every object is boxed: for other classes the image does not count. All classes count where it is None.
    """
    table = np.full((len(IOU_STEPS), classes), np.nan)
    for class_id in range(classes):
        pairs = [
            (_of(found_here, class_id), _of(truth_here, class_id))
            for number, (found_here, truth_here) in enumerate(zip(found, truth, strict=True))
            if scopes is None or class_id in scopes[number]
        ]
        if objects := sum(len(there) for _, there in pairs):
            table[:, class_id] = _class_precision(pairs, objects)
    return Precision(table)


def _of(detections: Detections, class_id: int) -> Detections:
    chosen = detections[detections.class_id == class_id]
    order = np.argsort(-chosen.confidence, kind="stable")
    return chosen[order[:MOST_AN_IMAGE]]


def _class_precision(pairs: Sequence[tuple[Detections, Detections]], objects: int) -> npt.NDArray[np.float64]:
    confidence = np.concatenate([found.confidence for found, _ in pairs])
    order = np.argsort(-confidence, kind="stable")
    hits = np.concatenate([_hits(found, there) for found, there in pairs], axis=1)[:, order]
    return np.array([_area_under(row, objects) for row in hits])


def _hits(found: Detections, there: Detections) -> npt.NDArray[np.bool_]:
    """For each IoU step whether each detection, best first, has an object to itself; (10, N)."""
    overlap = boxes.iou(found.xyxy, there.xyxy)
    hits = np.zeros((len(IOU_STEPS), len(found)), np.bool_)
    for step, least in enumerate(IOU_STEPS):
        free = np.ones(len(there), np.bool_)
        for row in np.flatnonzero(overlap.max(axis=1, initial=0) >= least):
            rest = np.where(free, overlap[row], -1.0)
            best = len(rest) - 1 - int(rest[::-1].argmax())  # of equals the last, as pycocotools does
            if rest[best] >= least:
                free[best] = False
                hits[step, row] = True
    return hits


def _area_under(hits: npt.NDArray[np.bool_], objects: int) -> float:
    """Mean of the best precision at or beyond each of the 101 recalls."""
    right = np.cumsum(hits)
    precision = right / np.arange(1, len(hits) + 1)
    ceiling = np.maximum.accumulate(precision[::-1])[::-1]
    at = np.searchsorted(right / objects, RECALL_STEPS, side="left")
    return float(np.append(ceiling, 0.0)[np.minimum(at, len(ceiling))].mean())
