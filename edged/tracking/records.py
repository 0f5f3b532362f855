"""What a tracker notes of each track beside where it is and how it moves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edged.domain.tracks import Tracks


@dataclass(slots=True)
class Records:
    """Parallel arrays, one row a track; what each means, and its type, Tracks says."""

    track_id: npt.NDArray[np.int64]
    state: npt.NDArray[np.int8]
    confidence: npt.NDArray[np.float32]
    class_id: npt.NDArray[np.int32]
    started_at: npt.NDArray[np.float64]
    seen_at: npt.NDArray[np.float64]

    @staticmethod
    def none() -> Records:
        """Of no track."""
        nothing = np.empty(0)
        return Records.begun(nothing.astype(np.int64), 0, nothing.astype(np.float32), nothing.astype(np.int32), at=0.0)

    @staticmethod
    def begun(
        track_id: npt.NDArray[np.int64],
        state: int,
        confidence: npt.NDArray[np.float32],
        class_id: npt.NDArray[np.int32],
        at: float,
    ) -> Records:
        """Of tracks that are seen for the first time, at the monotonic instant `at`."""
        count = len(track_id)
        return Records(
            track_id, np.full(count, state, np.int8), confidence, class_id, np.full(count, at), np.full(count, at)
        )

    def __len__(self) -> int:
        return len(self.track_id)

    def take(self, rows: npt.NDArray[np.intp]) -> Records:
        """Select tracks."""
        return Records(
            self.track_id.take(rows),
            self.state.take(rows),
            self.confidence.take(rows),
            self.class_id.take(rows),
            self.started_at.take(rows),
            self.seen_at.take(rows),
        )

    def joined(self, other: Records) -> Records:
        """Return these tracks followed by the others."""
        return Records(
            np.concatenate([self.track_id, other.track_id]),
            np.concatenate([self.state, other.state]),
            np.concatenate([self.confidence, other.confidence]),
            np.concatenate([self.class_id, other.class_id]),
            np.concatenate([self.started_at, other.started_at]),
            np.concatenate([self.seen_at, other.seen_at]),
        )

    def tracks(self, edges: npt.NDArray[np.float32], at: float) -> Tracks:
        """A copy, with where they are at `at`: `edges` (4, N), left, top, right, bottom in pixels."""
        return Tracks(
            at,
            self.track_id.copy(),
            self.state.copy(),
            np.ascontiguousarray(edges.T),
            self.confidence.copy(),
            self.class_id.copy(),
            self.started_at.copy(),
            self.seen_at.copy(),
        )
