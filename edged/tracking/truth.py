"""Ground truth in MOTChallenge's format: who should have been found, frame by frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edged.domain.boxes import iou, tlwh_to_xyxy
from edged.tracking.assignment import match

SAME = 0.5
"""Overlap from which a tracker's box counts as the object's: CLEAR, Identity, and what is taken out below."""

_PEDESTRIAN = 1
_DISTRACTORS = (2, 7, 8, 12)  # person on vehicle, static person, distractor, reflection
_ID, _BOX, _SIDES, _MARK, _CLASS = 1, slice(2, 6), slice(4, 6), 6, 7
_COLUMNS_WITH_CLASS = 9  # MOT16 and later; in MOT15, columns 8 to 10 are coordinates in the world
_LEAST_COLUMNS = 7

Floats = npt.NDArray[np.float64]
Ids = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Judged:
    """One frame as the metrics take it: N objects of the truth beside M boxes of the tracker.

    truth_id  (N,)
    track_id  (M,)
    overlap   (N, M) intersection over union, 0..1
    """

    truth_id: Ids
    track_id: Ids
    overlap: Floats


class Truth:
    """What was there, by frames counted from 1.

    As TrackEval's MotChallenge2DBox does it: ground truth with classes (MOT16, MOT17, MOT20) counts pedestrians that
    are marked 1, and what a tracker found of its distractors is taken out. One without (MOT15) counts what is marked 1.
    """

    def __init__(self, rows: Floats) -> None:
        """`rows` (R, 7 to 10): frame, id, left, top, width, height, mark, class, visibility; boxes in pixels from 0."""
        self.frames = int(rows[:, 0].max(initial=0))
        """The number of the last frame that shows anybody."""
        self._by_frame = {number: rows[rows[:, 0] == number] for number in np.unique(rows[:, 0]).tolist()}
        self._nobody = np.empty((0, rows.shape[1]))
        self._has_classes = rows.shape[1] == _COLUMNS_WITH_CLASS

    def shown(self, number: int) -> tuple[Ids, Floats]:
        """Return who counts on frame `number`, from 1: ids (N,) and boxes (N, 4)."""
        rows = self._by_frame.get(number, self._nobody)
        rows = rows[self._counts(rows)]
        return rows[:, _ID].astype(np.int64), tlwh_to_xyxy(rows[:, _BOX]).astype(np.float64)

    def judge(self, number: int, track_id: Ids, xyxy: npt.NDArray[np.floating]) -> Judged:
        """Hold M tracks (M,) with boxes (M, 4) in pixels against frame `number`, from 1."""
        rows = self._by_frame.get(number, self._nobody)
        overlap = iou(tlwh_to_xyxy(rows[:, _BOX]), xyxy).astype(np.float64)
        counted, kept = self._counts(rows), np.ones(len(track_id), bool)
        if self._has_classes:
            pairs, columns = match(np.where(overlap < SAME - np.finfo(float).eps, 0, overlap), 0.0)
            kept[columns[np.isin(rows[pairs, _CLASS], _DISTRACTORS)]] = False
        return Judged(rows[counted, _ID].astype(np.int64), track_id[kept], overlap[counted][:, kept])

    def _counts(self, rows: Floats) -> npt.NDArray[np.bool_]:
        marked: npt.NDArray[np.bool_] = rows[:, _MARK] != 0
        return marked & (rows[:, _CLASS] == _PEDESTRIAN) if self._has_classes else marked


def parse_truth(lines: Iterable[str]) -> Truth:
    """Read the lines of a gt.txt. Raises ValueError when it is none."""
    rows = parse_rows(lines)
    if not len(rows):
        raise ValueError("it has no rows")
    return Truth(rows)


def parse_rows(lines: Iterable[str]) -> Floats:
    """Read lines of MOTChallenge's format whose ids name objects: a truth or a trace; (R, 7 or more).

    Raises ValueError, with the line, when they are something else.
    """
    wanted = {number: text for number, line in enumerate(lines, 1) if (text := line.partition("#")[0].strip())}
    if not wanted:
        return np.empty((0, _LEAST_COLUMNS))
    rows = np.loadtxt(list(wanted.values()), delimiter=",", ndmin=2)
    if rows.shape[1] < _LEAST_COLUMNS:
        raise ValueError(f"its rows have {rows.shape[1]} numbers, not {_LEAST_COLUMNS} or more")
    for wrong, why in _mistakes(rows):
        if wrong.any():
            row = int(wrong.argmax())
            told = [f"{number:.12g}" for number in rows[row, :_LEAST_COLUMNS]]
            raise ValueError(f"line {list(wanted)[row]}: {why.format(*told)}")
    return rows


def _mistakes(rows: Floats) -> Iterator[tuple[npt.NDArray[np.bool_], str]]:
    """Rows (R,) that cannot be meant, and why not, in words that take the row's first numbers."""
    frame, identity = rows[:, 0], rows[:, _ID]
    yield np.invert(np.isfinite(rows).all(axis=1)), "a number that is not finite"
    yield (frame < 1) | (frame % 1 != 0), "frame {0}: frames are counted from 1"
    yield (identity < 0) | (identity % 1 != 0), "id {1}: objects are numbered from 0; is this what a detector found?"
    yield rows[:, _SIDES].min(axis=1) <= 0, "a box of {4} x {5} pixels"
    again = np.ones(len(rows), bool)
    again[np.unique(rows[:, :2], axis=0, return_index=True)[1]] = False
    yield again, "id {1} is on frame {0} twice"
