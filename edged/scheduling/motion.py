"""What changed in the picture since somebody last looked at it properly, told from a thumbnail.

There is no background to keep up: the picture of the last look is what the detector's answer holds for, so a picture
like it needs no new answer. Three things are no change:

- light: brightness and contrast of the whole are fitted away, so that auto-exposure, a cloud or a lamp moves nothing;
- noise, rain, leaves: each cell knows how much it has been varying, and must exceed that. They vary most of the time;
  what comes and goes as traffic does, on less than two ninths of the glances, does not become usual;
- a single cell, or a single frame: what matters to a detector covers several.

Where most of the picture differs for all that (infrared switched on, a camera that turns), it is one change of the
whole, not a thousand.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Cells = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Boxes = npt.NDArray[np.float32]
Point = tuple[float, float]

# Origins: eight by eight pixels average a sensor's noise of 5 grey levels to 0.6 and that of JPEG to less than 1, and
# a person in dusk still differs from a wall by some 10.
_LEAST_CHANGE = 5.0  # grey levels
_TIMES_USUAL = 3.0  # a cell must change by so many times its usual deviation; 3 as in any outlier test
_USUAL_AT_FIRST = 1.0  # grey levels
_USUAL_MAX = 10.0  # grey levels: whoever walks before the wildest tree is brighter or darker than it by 30
_USUAL_OVER_S = 10.0  # leaves and rain count as usual after about so long
# A change counts for no more than this share of what a cell must exceed, so even the greatest must last for two ninths
# of the time to become usual: leaves do, traffic hardly. At a third rain stayed news, at the whole roads were learnt.
_LEARNT_MAX = 0.5
# Where somebody is followed so much slower: it is he who moves there. Not never: a tree before a parked car moves too.
_FOLLOWED_SHARE = 0.25
MARGIN = 0.25  # of its sides that an object's motion may reach beyond its box: limbs, shadow
_SMOOTH_OVER_S = 0.15  # a streak of rain is gone in a frame, a person is not
_NEIGHBOURS = 3  # changed cells in three by three, itself included: somebody 30 pixels high covers four
_WHOLE = 0.5  # share of the cells from which all has changed
_CELLS_ACROSS = 100  # at most; 640 × 480 in eighths has 80
_TELL = 3  # thumbnails: one to compare with, and two in a row that differ from it

_NOBODY: Boxes = np.empty((0, 4), np.float32)


class Motion:
    """Compares thumbnails with the one of the last look.

    An idle camera costs little but this, and finds the processor's caches cold: so there are few calls of numpy.
    """

    def __init__(self, ignore: Sequence[Sequence[Point]] = ()) -> None:
        """`ignore` are polygons in shares of width and height, 0..1: what moves in them does not count."""
        self._ignore = ignore
        self._at = 0.0
        self._shape = 0, 0
        self._now: Cells = np.empty((0, 0), np.float32)
        self._looked: Cells = self._now
        self._usual: Cells = self._now  # mean square of each cell's deviations from the last look, grey levels
        self._hot: Mask = np.empty((0, 0), bool)
        self._counts: Mask = np.empty((0, 0), bool)
        self.changed: Mask = self._counts
        """(rows, columns): which cells have changed since the last look."""
        self.stirs = False
        """Whether the last thumbnail differs anywhere from the last look: if the next one does too, it is a change."""
        self._seen = 0  # thumbnails so far

    def see(self, luma: npt.NDArray[np.uint8], at: float, followed: Boxes = _NOBODY) -> None:
        """Take in the thumbnail (H, W) of the monotonic instant `at`.

        `followed` (N, 4) says where somebody is followed, in shares of width and height.
        """
        cells = _cells(luma)
        if cells.shape != self._shape:
            self._begin(cells)
        self._seen += 1
        passed_s, self._at = max(at - self._at, 0.0), at
        self._now += (1 - math.exp(-passed_s / _SMOOTH_OVER_S)) * (cells - self._now)
        off = self._now - _relit(self._looked, self._now)
        square = off * off
        bound = np.maximum(_LEAST_CHANGE**2, _TIMES_USUAL**2 * self._usual)
        hot = square > bound
        stirring = int(np.count_nonzero(hot))
        if stirring > _WHOLE * hot.size:
            self._now = cells
            self._hot = hot
        else:
            learnt = np.minimum(square, np.minimum(_LEARNT_MAX * bound, _USUAL_MAX**2)) - self._usual
            if len(followed):
                learnt[self.cells_of(followed, 1, 1, margin=MARGIN)] *= _FOLLOWED_SHARE
            self._usual += (1 - math.exp(-passed_s / _USUAL_OVER_S)) * learnt
        self.stirs = stirring > 0
        lasting, self._hot = hot & self._hot, hot
        self.changed = lasting & (_around(lasting) >= _NEIGHBOURS) if lasting.any() else lasting

    @property
    def is_known(self) -> bool:
        """Whether enough was seen to tell motion from stillness."""
        return self._seen >= _TELL

    def looked(self) -> None:
        """The picture that see() was last told of is the one that the detector has now seen."""
        self._looked = self._now.copy()

    def outside(self, boxes: Mask) -> Mask:
        """Which changed cells lie neither in `boxes` nor where motion is ignored."""
        outside: Mask = self.changed & self._counts & ~boxes
        return outside

    def cells_of(self, xyxy: Boxes, width_px: int, height_px: int, *, margin: float) -> Mask:
        """Which cells boxes (N, 4) cover in a frame of that size: (rows, columns).

        Each box is grown by `margin`, a share of its sides, on every side.
        """
        rows, columns = self._shape
        covered = np.zeros(self._shape, bool)
        scale = np.array([columns / width_px, rows / height_px] * 2)
        grown = np.asarray(xyxy, np.float64) * scale
        sides = (grown[:, 2:] - grown[:, :2]) * margin
        first = np.clip(np.floor(grown[:, :2] - sides), 0, (columns, rows)).astype(int).tolist()
        last = np.clip(np.ceil(grown[:, 2:] + sides), 0, (columns, rows)).astype(int).tolist()
        for (left, top), (right, bottom) in zip(first, last, strict=True):
            covered[top:bottom, left:right] = True
        return covered

    def _begin(self, cells: Cells) -> None:
        self._shape = cells.shape[0], cells.shape[1]
        self._seen = 0
        self._now, self._looked = cells.copy(), cells.copy()
        self._usual = np.full(cells.shape, _USUAL_AT_FIRST**2, np.float32)
        self._hot = np.zeros(cells.shape, bool)
        self._counts = ~_inside(self._ignore, self._shape)


def _cells(luma: npt.NDArray[np.uint8]) -> Cells:
    """Average a thumbnail into at most _CELLS_ACROSS cells a row."""
    factor = -(-luma.shape[1] // _CELLS_ACROSS)
    rows, columns = luma.shape[0] // factor, luma.shape[1] // factor
    if factor == 1 or not rows:
        return luma.astype(np.float32)
    blocks = luma[: rows * factor, : columns * factor].reshape(rows, factor, columns, factor)
    mean: Cells = blocks.mean(axis=(1, 3), dtype=np.float32)
    return mean


def _relit(before: Cells, now: Cells) -> Cells:
    """Give `before` the brightness and contrast of `now`, by a straight line through most of the cells.

    The line is fitted twice, the second time without the half of the cells that it fits worst: those may have moved.
    """
    x, y = before.ravel(), now.ravel()
    half = len(x) // 2
    gain, offset = _line(x, y, np.full(len(x), 1 / len(x), np.float32))
    off = np.abs(y - (gain * x + offset))
    good = off <= np.partition(off, half)[half]
    gain, offset = _line(x, y, good.astype(np.float32) / np.float32(np.count_nonzero(good)))
    relit: Cells = gain * before + offset
    return relit


def _line(x: Cells, y: Cells, weight: Cells) -> tuple[np.float32, np.float32]:
    """Gain and offset that make y of x; all are (N,), and the weights sum to 1."""
    x_mean, y_mean = weight @ x, weight @ y
    deviation = x - x_mean
    weighed = weight * deviation
    # The added variance keeps the gain near 1 where a picture without contrast could not tell it from noise.
    gain = (weighed @ y + 1) / (weighed @ deviation + 1)
    return np.float32(gain), np.float32(y_mean - gain * x_mean)


def _around(hot: Mask) -> npt.NDArray[np.uint8]:
    """Count the set cells in the three by three around each."""
    padded = np.pad(hot, 1).astype(np.uint8)
    columns = padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]
    count: npt.NDArray[np.uint8] = columns[:-2] + columns[1:-1] + columns[2:]
    return count


def _inside(polygons: Sequence[Sequence[Point]], shape: tuple[int, int]) -> Mask:
    """Which cells have their middle in one of the polygons (even-odd rule)."""
    rows, columns = shape
    y, x = np.mgrid[0:rows, 0:columns]
    x, y = (x + 0.5) / columns, (y + 0.5) / rows
    inside = np.zeros(shape, bool)
    for polygon in polygons:
        odd = np.zeros(shape, bool)
        for (x1, y1), (x2, y2) in zip(polygon, [*polygon[1:], polygon[0]], strict=True):
            if y1 != y2:
                odd ^= ((y1 > y) != (y2 > y)) & (x < x1 + (y - y1) * (x2 - x1) / (y2 - y1))
        inside |= odd
    return inside
