"""How far off the tracker's predictions are, a second: learnt from each object's own last looks.

The Kalman filter's standard deviation says how unsure a prediction is if objects move as its noise assumes. It is the
same for somebody who stands and for somebody who dances. What a look corrected is a measurement of the same thing for
the object at hand. Of a newcomer nothing is known but how fast those before were, so the scene's is remembered too.
"""

from __future__ import annotations

import numpy as np

from edged.domain.quantile import quantile
from edged.domain.tracks import Tracks, TrackState

_CAR_PER_S = 4.0  # sides a second: a scene is taken for a road until its newcomers have been seen to be slower
_NEWEST = 0.3  # weight of the newest correction of a track
_FASTER, _SLOWER = 0.5, 0.1  # of the newest newcomer: one car among people counts for long; the first count for more
_OF_ALL = 0.9  # the quantile of the tracks that counts: one restless object of ten does not set the pace for all


class Surprise:
    """Remembers for each living track how fast its prediction goes wrong."""

    def __init__(self) -> None:
        self._rates: dict[int, float] = {}  # heights a second
        self._met = 0  # newcomers that were seen twice
        self.newcomers_per_s = _CAR_PER_S
        """Sides a second by which a track's second sighting is off the first: widths across, heights up and down."""

    def learn(self, expected: Tracks, found: Tracks, after_s: float) -> None:
        """Compare where tracks were expected with where a look `after_s` seconds after the last one found them."""
        row_of = {track_id: row for row, track_id in enumerate(expected.track_id.tolist())}
        rates: dict[int, float] = {}
        for row, (track_id, seen_at) in enumerate(zip(found.track_id.tolist(), found.seen_at.tolist(), strict=True)):
            before, rate = row_of.get(track_id), self._rates.get(track_id)
            if before is not None and seen_at == found.at and after_s > 0:
                box = found.xyxy[row]
                moved, sides = np.abs(expected.xyxy[before] - box) / after_s, np.maximum(box[2:] - box[:2], 1.0)
                if expected.state[before] == TrackState.TENTATIVE:
                    pace = float((moved.reshape(2, 2) / sides).mean())
                    self._met += 1
                    self._meet(pace, _FASTER if pace > self.newcomers_per_s else max(_SLOWER, 1 / self._met))
                off = float(moved.mean() / sides[1])
                rate = off if rate is None else rate + _NEWEST * (off - rate)
            if rate is not None:
                rates[track_id] = rate
        self._rates = rates

    def rate_per_s(self, tracks: Tracks) -> float:
        """Say how fast the confirmed tracks' boxes go wrong, in their heights a second; 0 where there is none."""
        ids = tracks.track_id[tracks.state == TrackState.CONFIRMED].tolist()
        if not ids:
            return 0.0
        return quantile([self._rates.get(track_id, self.newcomers_per_s) for track_id in ids], _OF_ALL)

    def _meet(self, rate: float, weight: float) -> None:
        self.newcomers_per_s += weight * (rate - self.newcomers_per_s)
