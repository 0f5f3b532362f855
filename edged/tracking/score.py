"""How good tracks are beside the truth: HOTA, MOTA and IDF1, as TrackEval reckons them.

HOTA: Luiten et al. 2021, arXiv:2009.07736. MOTA: Bernardin and Stiefelhagen 2008. IDF1: Ristani et al. 2016,
arXiv:1609.01775. TrackEval (https://github.com/JonathonLuiten/TrackEval) is the field's own scorer; the numbers are
the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edged.tracking.assignment import match
from edged.tracking.truth import SAME, Floats, Judged

_ALPHAS = np.arange(0.05, 0.99, 0.05)  # overlaps from which a box counts as found: HOTA is the mean over them
_EPS = np.finfo(float).eps
_STAYS = 1000.0  # a pair of the frame before stays one, whatever the overlaps are

Indices = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Score:
    """What the field quotes; the first three in percent."""

    hota: float
    mota: float
    idf1: float
    switches: int


@dataclass(frozen=True, slots=True)
class _Seen:
    """A frame with objects and tracks numbered 0, 1, 2, … without a gap."""

    truth: Indices  # (N,)
    tracks: Indices  # (M,)
    overlap: Floats  # (N, M)

    @property
    def pairs(self) -> tuple[Indices, Indices]:
        """What picks this frame's pairs out of a matrix of all objects by all tracks."""
        return self.truth[:, None], self.tracks[None]


def score(frames: Sequence[Judged]) -> Score:
    """Score a recording, all of its frames in order."""
    truth, in_truth = _numbered([frame.truth_id for frame in frames])
    tracks, in_tracks = _numbered([frame.track_id for frame in frames])
    seen = [_Seen(a, b, frame.overlap) for a, b, frame in zip(truth, tracks, frames, strict=True)]
    mota, switches = _clear(seen, len(in_truth))
    return Score(
        hota=100 * _hota(seen, in_truth, in_tracks),
        mota=100 * mota,
        idf1=100 * _idf1(seen, in_truth, in_tracks),
        switches=switches,
    )


def _numbered(ids: Sequence[npt.NDArray[np.int64]]) -> tuple[list[Indices], Indices]:
    """Number ids without a gap; also say how often each occurs."""
    everybody = np.concatenate([*ids, np.empty(0, np.int64)])
    _, numbers, counts = np.unique(everybody, return_inverse=True, return_counts=True)
    return np.split(numbers.reshape(-1), np.cumsum([len(found) for found in ids], dtype=np.intp))[:-1], counts


def _hota(seen: Sequence[_Seen], in_truth: Indices, in_tracks: Indices) -> float:
    """How well objects are found, times how well they keep their names; 0..1."""
    likely = _likely_pairs(seen, in_truth, in_tracks)
    pairs, overlaps = [np.empty(0, np.intp)], [np.empty(0)]
    for frame in seen:
        rows, columns = match(likely[frame.pairs] * frame.overlap, 0.0)
        pairs.append(frame.truth[rows] * len(in_tracks) + frame.tracks[columns])
        overlaps.append(frame.overlap[rows, columns])
    pair, overlap = np.concatenate(pairs), np.concatenate(overlaps)
    boxes = in_truth.sum() + in_tracks.sum()
    return float(np.mean([_hota_at(pair[overlap >= alpha - _EPS], in_truth, in_tracks, boxes) for alpha in _ALPHAS]))


def _likely_pairs(seen: Sequence[_Seen], in_truth: Indices, in_tracks: Indices) -> Floats:
    """Say how far each object and each track are one over the whole recording, 0..1; (objects, tracks)."""
    together = np.zeros((len(in_truth), len(in_tracks)))
    for frame in seen:
        rivals = frame.overlap.sum(0)[None] + frame.overlap.sum(1)[:, None] - frame.overlap
        together[frame.pairs] += np.divide(frame.overlap, rivals, out=np.zeros_like(rivals), where=rivals > _EPS)
    likely: Floats = together / (in_truth[:, None] + in_tracks[None] - together)
    return likely


def _hota_at(pair: Indices, in_truth: Indices, in_tracks: Indices, boxes: int) -> float:
    """HOTA at one overlap, by the pairs that reach it, frame after frame."""
    if not len(pair):
        return 0.0
    which, together = np.unique(pair, return_counts=True)
    either = in_truth[which // len(in_tracks)] + in_tracks[which % len(in_tracks)] - together
    association = (together * together / either).sum() / len(pair)
    return float(np.sqrt(len(pair) / (boxes - len(pair)) * association))


def _clear(seen: Sequence[_Seen], objects: int) -> tuple[float, int]:
    """MOTA, 1 at the best and without a bound below, and how often an object goes on under another name."""
    name = np.full(objects, -1)  # that each object had last
    before = name.copy()  # … on the frame before
    found = wrong = missed = switches = 0
    for frame in seen:
        wrong += len(frame.tracks)
        missed += len(frame.truth)
        if not len(frame.truth) or not len(frame.tracks):
            continue
        kept = _STAYS * (before[frame.truth][:, None] == frame.tracks)
        rows, columns = match(np.where(frame.overlap < SAME - _EPS, 0, kept + frame.overlap), _EPS)
        truth, tracks = frame.truth[rows], frame.tracks[columns]
        switches += int(((name[truth] >= 0) & (name[truth] != tracks)).sum())
        name[truth] = tracks
        before[:] = -1
        before[truth] = tracks
        found += len(rows)
    wrong, missed = wrong - found, missed - found
    return (found - wrong - switches) / max(1, found + missed), switches


def _idf1(seen: Sequence[_Seen], in_truth: Indices, in_tracks: Indices) -> float:
    """The share of boxes that are right if each object has one name for good, 0..1."""
    together = np.zeros((len(in_truth), len(in_tracks)))
    for frame in seen:
        together[frame.pairs] += frame.overlap >= SAME
    rows, columns = match(together, 0.0)
    boxes = in_truth.sum() + in_tracks.sum()
    return float(2 * together[rows, columns].sum() / max(1, boxes))
