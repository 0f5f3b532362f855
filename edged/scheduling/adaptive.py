"""Look when something may have changed that is worth knowing, and not before.

Every reason to look is a time: how long it can wait. The shortest one counts, and the need is how much of it is used
up. So needs of different cameras can be compared, and a need that is not met grows until it is.
"""

from __future__ import annotations

import math

import numpy as np

from edged.domain.frame import Frame
from edged.domain.tracks import Tracks, TrackState
from edged.errors import FrameCorrupt
from edged.ports import Expect
from edged.scheduling.motion import MARGIN, Motion
from edged.scheduling.surprise import Surprise

# Found on three sequences of MOT17 (static cameras, 30 Hz) with five offsets of the first frame, then tried on six
# others; docs/scheduling.md has the figures, docs/scheduling-experiments.md what else was tried. Even gaps are worth
# more than a look early here and one late there, since what a gap costs grows with its square: so nothing asks for a
# look sooner but what cannot wait.
_OFF_MAX = 0.05  # of an object's height that its box may be off by; 0.06 and 0.045 were worse at what they cost
# Newcomers faster than this, in sides a second, are 0.4 of a side away when the look for those followed comes: they
# overlap with their first sighting by 0.4, which at a confidence of a half is too little. So a look comes when they are
# off by an eighth of their sides; at a sixth two of eight cars on a road of 25 Hz went untold of.
_NEW_FAST_PER_S = 1.1
_NEW_OFF_MAX = 0.12
_SETTLE_S = 0.13  # motion that no track explains: two thumbnails in a row and a frame
_FOLLOWED_S = 0.2  # at the latest where somebody is followed, came or is due: at 0.27 s HOTA fell by another 1.3 points
_AT_REST_S = 1.0  # … and nothing has moved: no longer than a lost track lives (tracker.lost_after_s)
_STIRRED_MAX_S = 0.4  # at the latest while something moves that no track explains: events come within 0.5 s
# From one thumbnail to the next. Two in a row tell of motion: where all was still at the last one, within 0.33 s at
# 15 Hz and half a second at any rate from 10 Hz on. Glances are most of what an idle camera costs. 0.18 s is every
# fifth of a second at 10, 15, 25 and 30 Hz, whatever their jitter.
_GLANCE_S, _GLANCE_STILL_S = 0.1, 0.18
_SAME_S = 1e-6  # instants are floats: a camera of 10 Hz is glanced at on every frame
_CALM_S = 2.0  # without any, and it is taken for something new
_HEARTBEAT_S = 5.0  # an empty and still scene: what changed too little to be noticed


class Adaptive:
    """Spends the detector where something moves; implements edged.ports.Scheduler.

    It looks at once when something moves that no track explains, at the pace of the predictions' errors while somebody
    is followed, soon when a track is tentative or a rule waits, and seldom when all is still.
    """

    def __init__(self, motion: Motion | None) -> None:
        """Without `motion` nothing is known of pixels, and it looks as if something moved all the time.

        So it does until `motion` has seen enough: on a street, a quarter of a second without a look at the start lost
        people for good.
        """
        self._motion = motion
        self._surprise = Surprise()
        self._expected = Tracks.empty(-math.inf)  # on the frame that need() was asked of last
        self._at = -math.inf  # of the last frame
        self._looked_at = self._glanced_at = -math.inf
        self._stirred_s = _SETTLE_S  # how long unexplained motion can wait now: longer while it proves to be nothing
        self._stirred_at = -math.inf  # when there was some
        self._unexplained = False  # whether there was any on that frame

    def need(self, frame: Frame, at: float, expect: Expect, *, due: bool) -> float:
        """Say how badly a frame needs the detector; see edged.ports.Scheduler."""
        self._expected = expect()
        frame_s, self._at = at - self._at, at
        if self._motion is not None and at - self._glanced_at >= self._glance_s(self._motion) - _SAME_S:
            self._glanced_at = at
            try:
                size = np.array([frame.width_px, frame.height_px] * 2, np.float32)
                self._motion.see(frame.luma(), at, self._expected.xyxy / size)
            except FrameCorrupt:  # the detector will say so
                return math.inf
        if not math.isfinite(self._looked_at):
            return math.inf
        waited_s = at - self._looked_at
        if frame_s < _FOLLOWED_S:
            waited_s += frame_s / 2  # the frame that lies nearest to the instant, not the first after it
        return waited_s / self._can_wait_s(self._expected, frame, due=due)

    def _glance_s(self, motion: Motion) -> float:
        """Say how long the next thumbnail can wait: where nobody is and nothing stirs, for longer."""
        still = motion.is_known and not motion.stirs and not len(self._expected)
        return _GLANCE_STILL_S if still else _GLANCE_S

    def looked(self, found: Tracks) -> None:
        """Learn what the look was good for."""
        self._surprise.learn(self._expected, found, found.at - self._looked_at)
        self._looked_at = found.at
        if (found.state == TrackState.TENTATIVE).any():
            self._stirred_s = _SETTLE_S
        elif self._unexplained:  # motion that proves to be nothing can wait longer the next time
            self._stirred_s = min(2 * self._stirred_s, _STIRRED_MAX_S)
        if self._motion is not None:
            self._motion.looked()

    def _can_wait_s(self, expected: Tracks, frame: Frame, *, due: bool) -> float:
        wait_s = _FOLLOWED_S if due else _HEARTBEAT_S
        self._unexplained = False
        somebody = False
        if len(expected):
            followed = expected.state != TrackState.TENTATIVE
            somebody = bool(followed.any())
            if not followed.all():
                pace = self._surprise.newcomers_per_s
                wait_s = _NEW_OFF_MAX / pace if pace > _NEW_FAST_PER_S else _FOLLOWED_S
        if self._motion is None or not self._motion.is_known:
            return min(wait_s, self._follow_s(expected) if somebody else _STIRRED_MAX_S)
        return min(wait_s, self._motion_can_wait_s(self._motion, expected, frame, somebody))

    def _motion_can_wait_s(self, motion: Motion, expected: Tracks, frame: Frame, followed: bool) -> float:
        explained = False
        if motion.changed.any():
            objects = motion.cells_of(expected.xyxy, frame.width_px, frame.height_px, margin=MARGIN)
            self._unexplained = bool(motion.outside(objects).any())
            explained = bool((motion.changed & objects).any())
        if self._unexplained:
            self._stirred_at = expected.at
        elif expected.at - self._stirred_at > _CALM_S:
            self._stirred_s = _SETTLE_S
        wait_s = self._stirred_s if self._unexplained else _HEARTBEAT_S
        if not followed:
            return wait_s
        return min(wait_s, self._follow_s(expected) if explained else _AT_REST_S)

    def _follow_s(self, expected: Tracks) -> float:
        rate = self._surprise.rate_per_s(expected)
        return min(_OFF_MAX / rate, _FOLLOWED_S) if rate else _FOLLOWED_S
