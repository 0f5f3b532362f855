"""How far off the tracker's predictions are, a second: learnt from each object's own last looks.

The Kalman filter's standard deviation says how unsure a prediction is if objects move as its noise assumes. It is the
same for somebody who stands and for somebody who dances. What a look corrected is a measurement of the same thing for
the object at hand.
"""

from __future__ import annotations

import numpy as np

from edged.domain.tracks import Tracks, TrackState

_AT_FIRST_PER_S = 0.6  # heights a second, for a track that was not looked at twice: a walk towards nobody knows where
_NEWEST = 0.3  # weight of the newest correction
_OF_ALL = 0.9  # the quantile of the tracks that counts: one restless object of ten does not set the pace for all


class Surprise:
    """Remembers for each living track how fast its prediction goes wrong."""

    def __init__(self) -> None:
        self._rates: dict[int, float] = {}  # heights a second

    def learn(self, expected: Tracks, found: Tracks, after_s: float) -> None:
        """Compare where tracks were expected with where a look `after_s` seconds after the last one found them."""
        row_of = {track_id: row for row, track_id in enumerate(expected.track_id.tolist())}
        rates: dict[int, float] = {}
        for row, (track_id, seen_at) in enumerate(zip(found.track_id.tolist(), found.seen_at.tolist(), strict=True)):
            before = row_of.get(track_id)
            rate = self._rates.get(track_id, _AT_FIRST_PER_S)
            if before is not None and seen_at == found.at and after_s > 0:
                box = found.xyxy[row]
                off = float(np.abs(expected.xyxy[before] - box).mean()) / max(float(box[3] - box[1]), 1.0)
                rate += _NEWEST * (off / after_s - rate)
            rates[track_id] = rate
        self._rates = rates

    def rate_per_s(self, tracks: Tracks) -> float:
        """Say how fast the confirmed tracks' boxes go wrong, in their heights a second; 0 where there is none."""
        ids = tracks.track_id[tracks.state == TrackState.CONFIRMED].tolist()
        if not ids:
            return 0.0
        return float(np.quantile([self._rates.get(track_id, _AT_FIRST_PER_S) for track_id in ids], _OF_ALL))
