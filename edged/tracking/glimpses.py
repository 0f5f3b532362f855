"""Who was seen at the last looks without being followed: too faintly to begin a track, or not found again at once.

Somebody who is seen faintly reaches the confidence for a track on one frame in five or ten, and where frames are
skipped that one is hardly ever among them. So a track that begins late all the same counts from a part of the time
since the first of the glimpses that lead to it. With all of that time events came earlier than with every frame.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edged.tracking.assignment import match, overlap

_LEAST_OVERLAP = 0.3  # from one glimpse of somebody to the next; 0.2 joined strangers, 0.5 lost who walks
_UNBROKEN_S = 0.6  # from one look to the next: three times the slowest pace at which anybody is followed
_MOVED = 0.4  # of the sides, since the first glimpse: false alarms stay where they are, but for how their boxes tremble
_COUNTS_S = 1.0  # a poster that is taken for somebody now and then has not been there since yesterday


@dataclass(frozen=True, slots=True)
class Glimpses:
    """Of the last look, at the monotonic instant `at`, and after these of the one before: which none of these follows.

    The latter may have begun a track that goes on by now: a newcomer who overlaps one counts from it all the same.

    edges  (4, N) float32, left, top, right, bottom in pixels
    group  (N,)   int: only glimpses of one group may be of one object
    since  (N,)   float64, monotonic seconds: when the first glimpse of the same object was had
    first  (4, N) float32: where it was then
    fresh  how many are of the last look: the first ones
    """

    at: float
    edges: npt.NDArray[np.float32]
    group: npt.NDArray[np.integer]
    since: npt.NDArray[np.float64]
    first: npt.NDArray[np.float32]
    fresh: int

    def __len__(self) -> int:
        return len(self.since)

    def moved(self, count: int) -> npt.NDArray[np.bool_]:
        """Say of the first `count` whether they are elsewhere than when they were glimpsed first, (count,)."""
        edges, first = self.edges[:, :count], self.first[:, :count]
        twice_the_way = np.abs(edges[:2] + edges[2:] - first[:2] - first[2:])
        moved: npt.NDArray[np.bool_] = (twice_the_way / (edges[2:] - edges[:2])).mean(axis=0) >= 2 * _MOVED
        return moved

    def followed_by(self, edges: npt.NDArray[np.float32], group: npt.NDArray[np.integer], at: float) -> Glimpses:
        """Return what is known after another look, at `at`, and what it showed, which comes first, in this order."""
        since, first, fresh = np.full(len(group), at), edges.copy(), len(group)
        if not len(self) or at - self.at > _UNBROKEN_S:
            return Glimpses(at, edges, group, since, first, fresh)
        same = overlap(edges, self.edges)
        same[group[:, None] != self.group] = 0
        rows, columns = match(same, _LEAST_OVERLAP)
        since[rows] = np.maximum(self.since[columns], at - _COUNTS_S)
        first[:, rows] = self.first[:, columns]
        waits = np.arange(len(self)) < self.fresh
        waits[columns] = False
        return Glimpses(
            at,
            np.concatenate([edges, self.edges[:, waits]], axis=1),
            np.concatenate([group, self.group[waits]]),
            np.concatenate([since, self.since[waits]]),
            np.concatenate([first, self.first[:, waits]], axis=1),
            fresh,
        )


_NOWHERE = np.empty((4, 0), np.float32)
NO_GLIMPSES = Glimpses(-np.inf, _NOWHERE, np.empty(0, np.int32), np.empty(0), _NOWHERE, 0)
