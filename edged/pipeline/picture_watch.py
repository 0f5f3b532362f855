"""Notices a camera that gives frames but shows nothing: the picture stands still, is empty, or cannot be decoded."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from edged.domain.events import CameraEvent, EventKind
from edged.domain.frame import BgrImage

_LOOK_EVERY_S = 1.0
_DAMAGED_AFTER_S = 10.0
_OK_AFTER_S = 3.0  # of sound pictures, so that a flicker in between ends nothing
_LEAST_LOOKS = 5  # however seldom the detector runs
_ROWS = 120  # that are compared: so many or up to twice as many, where the picture has them
_GRID = 60, 80  # rows and columns of points that must all be of one colour on a blank picture; as above
_FIRST_GRID = 20, 26  # at which most pictures show at once that they are not blank

_SAME_COLOUR = 8  # grey levels off the picture's mean, in each of blue, green and red
_STRAY_MAX = 0.001  # share of points further off on a blank picture: broken pixels
_STRAY_MAX_WHILE_BLANK = 0.01
_STRAY_MAX_AT_FIRST = 0.1

Points = npt.NDArray[np.uint8]
"""(rows, columns, 3) points of a picture, blue first."""

_KINDS = {
    "frozen": EventKind.PICTURE_FROZEN,
    "blank": EventKind.PICTURE_BLANK,
    "damaged": EventKind.PICTURE_DAMAGED,
}


class _Run:
    """How long something has been so at every look."""

    def __init__(self) -> None:
        self.end()

    def end(self) -> None:
        self.since = math.inf
        self._looks = 0

    def go_on(self, at: float) -> None:
        self.since = min(self.since, at)
        self._looks += 1

    def lasted(self, seconds: float, at: float) -> bool:
        return self._looks >= _LEAST_LOOKS and at - self.since >= seconds


class PictureWatch:
    """Looks at a camera's picture once a second. A picture is

    - frozen when it is the same to the last bit: the noise of a living sensor changes some of them, even at night;
    - blank when all of it is of one colour, but for a point in a thousand: a covered lens, a black or dead picture;
    - damaged when it cannot be decoded, nor any other that comes.

    After `stuck_after_s` of the first two, or 10 s of the third, there is one event, and another when the picture has
    been sound for 3 s. Both bear the instant at which it began. What was frozen and goes blank, and so on, is one
    trouble. A gap in the frames must be told by lose_sight(): there may be a long time between looks without one.
    """

    def __init__(self, camera: str, *, stuck_after_s: float = 10.0) -> None:
        self.state = "ok"  # "ok", "frozen", "blank" or "damaged"
        self._camera = camera
        self._stuck_after_s = stuck_after_s
        self._looked_at = -math.inf
        self._last: Points = np.empty((0, 0, 3), np.uint8)
        self._same, self._blank, self._sound, self._damaged = _Run(), _Run(), _Run(), _Run()
        self._began_at = 0.0  # of the trouble

    def look(self, picture: BgrImage | None, at: float) -> Sequence[CameraEvent]:
        """Take in the picture of the monotonic instant `at`, as somebody decoded it: (H, W, 3), of any size.

        None, when nobody did, is passed over, and so are pictures within a second of the last look.
        """
        if picture is None:
            return ()
        self._damaged.end()
        if at - self._looked_at < _LOOK_EVERY_S:
            return ()
        self._looked_at = at
        self._judge(picture[:: max(1, len(picture) // _ROWS)].copy(), at)
        return self._begin(at) if self.state == "ok" else self._end(at)

    def damaged(self, at: float) -> Sequence[CameraEvent]:
        """Take in that the picture of the monotonic instant `at` could not be decoded."""
        self._damaged.go_on(at)
        if self._damaged.lasted(_OK_AFTER_S, at):
            self._forget()
        if self.state != "ok" or not self._damaged.lasted(_DAMAGED_AFTER_S, at):
            return ()
        detail = f"no picture could be decoded for {_DAMAGED_AFTER_S:g} s: check the cable and the power"
        return self._enter("damaged", self._damaged.since, detail)

    def lose_sight(self) -> None:
        """Take in that no frames came for a while: nobody knows what was in between."""
        self._forget()
        self._damaged.end()

    def _forget(self) -> None:
        for run in (self._same, self._blank, self._sound):
            run.end()

    def _judge(self, rows: Points, at: float) -> None:
        is_same, self._last = np.array_equal(rows, self._last), rows
        is_blank = _is_blank(rows, stray_max=_STRAY_MAX if self.state == "ok" else _STRAY_MAX_WHILE_BLANK)
        if not is_same:
            self._same.end()
        self._same.go_on(at)  # a picture that changed is the first of its run
        if is_blank:
            self._blank.go_on(at)
        else:
            self._blank.end()
        if is_same or is_blank:
            self._sound.end()
        else:
            self._sound.go_on(at)

    def _begin(self, at: float) -> Sequence[CameraEvent]:
        if self._blank.lasted(self._stuck_after_s, at):
            detail = f"the picture has been of one colour for {self._stuck_after_s:g} s: is the lens covered?"
            return self._enter("blank", self._blank.since, detail)
        if self._same.lasted(self._stuck_after_s, at):
            detail = f"the picture has been the same to the last bit for {self._stuck_after_s:g} s: the camera hangs"
            return self._enter("frozen", self._same.since, detail)
        return ()

    def _enter(self, state: str, since: float, detail: str) -> Sequence[CameraEvent]:
        self.state, self._began_at = state, since
        return [self._event(_KINDS[state], since, detail)]

    def _end(self, at: float) -> Sequence[CameraEvent]:
        if at - self._sound.since < _OK_AFTER_S:
            return ()
        event = self._event(EventKind.PICTURE_OK, self._sound.since, None)
        self.state = "ok"
        return [event]

    def _event(self, kind: EventKind, at: float, detail: str | None) -> CameraEvent:
        return CameraEvent(kind, self._camera, at, started_at=self._began_at, reason=self.state, detail=detail)


def _is_blank(rows: Points, *, stray_max: float) -> bool:
    few = _grid(rows, *_FIRST_GRID)
    mean = few.mean(axis=(0, 1))
    return _stray(few, mean) <= _STRAY_MAX_AT_FIRST and _stray(_grid(rows, *_GRID), mean) <= stray_max


def _grid(rows: Points, row_count: int, column_count: int) -> Points:
    return rows[:: max(1, rows.shape[0] // row_count), :: max(1, rows.shape[1] // column_count)]


def _stray(points: Points, colour: npt.NDArray[np.float64]) -> float:
    """The share of points that are not of this colour, 0..1."""
    darkest = np.clip(np.ceil(colour - _SAME_COLOUR), 0, 255).astype(np.uint8)
    brightest = np.clip(np.floor(colour + _SAME_COLOUR), 0, 255).astype(np.uint8)
    off = (points < darkest) | (points > brightest)
    blue, green, red = np.moveaxis(off, 2, 0)  # each apart: faster than any() over three
    stray = np.count_nonzero(blue | green | red)
    return stray / int(blue.size)
