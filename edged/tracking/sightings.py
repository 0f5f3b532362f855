"""Detections made ready for the tracker: the useless ones left out, the sure ones first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edged.domain.detections import Detections
from edged.tracking.kalman import FARTHEST_PX, Array, to_xyha


@dataclass(frozen=True, slots=True)
class Sightings:
    """M detections of one instant: the first `sure` have high confidence, the others are doubtful.

    edges       (4, M) float32, left, top, right, bottom in pixels
    confidence  (M,)   float32, at most 1
    class_id    (M,)   int32
    """

    edges: npt.NDArray[np.float32]
    confidence: npt.NDArray[np.float32]
    class_id: npt.NDArray[np.int32]
    sure: int

    def __len__(self) -> int:
        return len(self.confidence)

    def measured(self, columns: npt.NDArray[np.intp]) -> Array:
        """Boxes as the Kalman filter takes them, (4, len(columns)) x, y, h, a."""
        return to_xyha(self.edges.take(columns, axis=1))

    def untaken(self, detection_of: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
        """Say which go on no track, given which each track goes on with, -1 for none."""
        taken = np.zeros(len(self) + 1, bool)
        taken[detection_of] = True  # the spare place at the end takes the -1s
        return (~taken[:-1]).nonzero()[0]


def sort_out(detections: Detections, *, low_confidence: float, high_confidence: float) -> Sightings:
    """Keep what has at least `low_confidence`, and put what has at least `high_confidence` first, in order otherwise.

    Left out: a NaN or infinite number, an edge beyond FARTHEST_PX, a box without width or height. A confidence above 1
    counts as 1.
    """
    edges, confidence = detections.xyxy.T, detections.confidence
    near, far = edges[:2], edges[2:]
    sound = near < far
    sound &= near >= -FARTHEST_PX
    sound &= far <= FARTHEST_PX
    usable = confidence >= low_confidence
    usable &= confidence < np.inf
    usable &= sound[0]
    usable &= sound[1]
    high = confidence >= high_confidence
    high &= usable
    first, then = high.nonzero()[0], (usable > high).nonzero()[0]
    chosen = np.concatenate([first, then])
    return Sightings(
        edges.take(chosen, axis=1),
        np.minimum(confidence.take(chosen), np.float32(1)).astype(np.float32, copy=False),
        detections.class_id.take(chosen).astype(np.int32, copy=False),
        len(first),
    )
