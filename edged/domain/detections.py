"""What a detector found in one frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """Parallel arrays, one row an object, in no particular order.

    xyxy        (N, 4) float32, pixels of the frame
    confidence  (N,)   float32, 0..1
    class_id    (N,)   int32, index into the model's labels
    """

    xyxy: npt.NDArray[np.float32]
    confidence: npt.NDArray[np.float32]
    class_id: npt.NDArray[np.int32]

    def __post_init__(self) -> None:
        rows = len(self.confidence)
        if self.xyxy.shape != (rows, 4) or self.confidence.shape != (rows,) or self.class_id.shape != (rows,):
            raise ValueError(
                f"parallel arrays disagree: xyxy {self.xyxy.shape}, confidence {self.confidence.shape}, "
                f"class_id {self.class_id.shape}"
            )

    def __len__(self) -> int:
        return len(self.confidence)

    def __getitem__(self, rows: npt.NDArray[np.bool_] | npt.NDArray[np.intp] | slice) -> Detections:
        """Select rows by mask, indices or slice."""
        return Detections(self.xyxy[rows], self.confidence[rows], self.class_id[rows])

    @staticmethod
    def empty() -> Detections:
        """Nothing was found."""
        return Detections(np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty(0, np.int32))
