"""What a tracker holds at one instant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt


class TrackState(IntEnum):
    """The life of a track: TENTATIVE → CONFIRMED ⇄ LOST → REMOVED."""

    TENTATIVE = 0  # seen once; one more sighting confirms it, one miss ends it
    CONFIRMED = 1  # a real object, seen at the last detection or taken to be there still; `seen_at` tells which
    LOST = 2  # not seen at the last detection; its box is a prediction
    REMOVED = 3  # gone; the tracker does not list it any more


_STATES = tuple(TrackState)  # by value; a look-up that is paid for every track of every frame


class Track(NamedTuple):
    """One row of Tracks, for code that looks at one object at a time."""

    track_id: int
    state: TrackState
    xyxy: tuple[float, float, float, float]  # pixels of the frame
    confidence: float  # of the last detection that matched, 0..1
    class_id: int  # of the last detection that matched
    started_at: float  # monotonic seconds
    seen_at: float  # when a detection last matched, monotonic seconds


@dataclass(frozen=True, eq=False)
class Tracks:
    """Parallel arrays, one row a track that is TENTATIVE, CONFIRMED or LOST, ordered by track_id.

    at          monotonic seconds that the boxes are for
    track_id    (N,)   int64, unique within the tracker instance, never used twice
    state       (N,)   int8, TrackState
    xyxy        (N, 4) float32, pixels of the frame
    confidence  (N,)   float32, of the last detection that matched
    class_id    (N,)   int32, of the last detection that matched
    started_at  (N,)   float64, monotonic seconds of the first detection; earlier for who was glimpsed before it
    seen_at     (N,)   float64, monotonic seconds of the last detection; equals `at` where one matched just now

    Not to be written to once somebody has gone through the rows.
    """

    at: float
    track_id: npt.NDArray[np.int64]
    state: npt.NDArray[np.int8]
    xyxy: npt.NDArray[np.float32]
    confidence: npt.NDArray[np.float32]
    class_id: npt.NDArray[np.int32]
    started_at: npt.NDArray[np.float64]
    seen_at: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.track_id)

    def __getitem__(self, rows: npt.NDArray[np.bool_] | npt.NDArray[np.intp] | slice) -> Tracks:
        """Select rows by mask, indices or slice."""
        return Tracks(
            self.at,
            self.track_id[rows],
            self.state[rows],
            self.xyxy[rows],
            self.confidence[rows],
            self.class_id[rows],
            self.started_at[rows],
            self.seen_at[rows],
        )

    def __iter__(self) -> Iterator[Track]:
        return iter(self._rows)

    @cached_property
    def _rows(self) -> Sequence[Track]:
        """Made once: several look at every track of every frame."""
        columns = (
            self.track_id.tolist(),
            [_STATES[state] for state in self.state.tolist()],
            [tuple(xyxy) for xyxy in self.xyxy.tolist()],
            self.confidence.tolist(),
            self.class_id.tolist(),
            self.started_at.tolist(),
            self.seen_at.tolist(),
        )
        return [Track(*row) for row in zip(*columns, strict=True)]

    def confirmed(self) -> Tracks:
        """Only the tracks that are CONFIRMED: the objects that are in view now."""
        return self[self.state == TrackState.CONFIRMED]

    @staticmethod
    def empty(at: float) -> Tracks:
        """No track at all."""
        return Tracks(
            at,
            np.empty(0, np.int64),
            np.empty(0, np.int8),
            np.empty((0, 4), np.float32),
            np.empty(0, np.float32),
            np.empty(0, np.int32),
            np.empty(0, np.float64),
            np.empty(0, np.float64),
        )
