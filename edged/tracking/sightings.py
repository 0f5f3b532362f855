"""Detections made ready for the tracker: the useless ones left out, the sure ones first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edged.domain.detections import Detections
from edged.tracking.kalman import FARTHEST_PX, Array, to_xyha

SIGHTING = np.dtype([("seen_at", np.float64), ("confidence", np.float32), ("class_id", np.int32)])


@dataclass(frozen=True, slots=True)
class Sightings:
    """M detections of one instant: the first `sure` have high confidence, the others are doubtful.

    edges   (4, M) float32, left, top, right, bottom in pixels
    record  (M,)   SIGHTING
    """

    edges: npt.NDArray[np.float32]
    record: npt.NDArray[np.void]
    sure: int

    def __len__(self) -> int:
        return len(self.record)

    @property
    def confidence(self) -> npt.NDArray[np.float32]:
        """Confidence of each, (M,), at most 1."""
        return self.record["confidence"]

    def measured(self, columns: npt.NDArray[np.intp]) -> Array:
        """Boxes as the Kalman filter takes them, (4, len(columns)) x, y, h, a."""
        return to_xyha(self.edges.take(columns, axis=1))


def sort_out(detections: Detections, at: float, *, low_confidence: float, high_confidence: float) -> Sightings:
    """Keep what has at least `low_confidence`, and put what has at least `high_confidence` first, in order otherwise.

    Left out: a NaN or infinite number, an edge beyond FARTHEST_PX, a box without width or height. A confidence above 1
    counts as 1.
    """
    edges, confidence = detections.xyxy.T, detections.confidence
    near, far = edges[:2], edges[2:]
    sound = (near < far) & (near >= -FARTHEST_PX) & (far <= FARTHEST_PX)
    usable = sound[0] & sound[1] & (confidence >= low_confidence) & (confidence < np.inf)
    high = usable & (confidence >= high_confidence)
    first, then = high.nonzero()[0], (usable > high).nonzero()[0]
    chosen = np.concatenate([first, then])
    record = np.empty(len(chosen), SIGHTING)
    record["seen_at"] = at
    record["confidence"] = np.minimum(confidence[chosen], 1)
    record["class_id"] = detections.class_id[chosen]
    return Sightings(edges.take(chosen, axis=1), record, len(first))
