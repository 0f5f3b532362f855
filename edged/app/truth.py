"""Ground truth beside what a pipeline makes of a recording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edged.app.outputs import class_of
from edged.domain.frame import Frame
from edged.domain.scheduling import Decision
from edged.domain.tracks import Tracks, TrackState
from edged.errors import ConfigError
from edged.ports import Rule
from edged.scheduling.agreement import Run
from edged.tracking.score import Score, score
from edged.tracking.truth import Judged, Truth, parse_truth

_HINT = "It holds a line an object and frame: frame,id,left,top,width,height,1, and more that may follow."


def read_truth(path: Path) -> Truth:
    """Read a gt.txt of MOTChallenge. Raises ConfigError."""
    try:
        with path.open(encoding="utf-8") as file:
            return parse_truth(file)
    except OSError as error:
        raise ConfigError(f"The ground truth {path} cannot be read: {error.strerror}.", hint=_HINT) from error
    except ValueError as error:  # also what is no text
        raise ConfigError(f"{path} is no ground truth: {error}.", hint=_HINT) from error


class TruthWatch:
    """A frame observer that holds the confirmed tracks of a label against the truth, frame by frame.

    Damaged frames of the recording, which nobody is shown, count too: as frames on which nobody was found.
    """

    def __init__(self, truth: Truth, label: str, labels: Sequence[str]) -> None:
        """Raises ConfigError when `label` is none of the model's `labels`."""
        self._truth = truth
        self._class_id = class_of(label, labels)
        self._frames: list[Judged] = []

    def __call__(self, frame: Frame, tracks: Tracks, decision: Decision) -> None:
        nobody = Tracks.empty(at=0.0)
        while len(self._frames) < frame.seq:
            self._frames.append(self._truth.judge(len(self._frames) + 1, nobody.track_id, nobody.xyxy))
        shown = tracks.confirmed()
        shown = shown[shown.class_id == self._class_id]
        self._frames.append(self._truth.judge(frame.seq + 1, shown.track_id, shown.xyxy))

    def score(self) -> Score:
        """Score the frames that were played."""
        return score(self._frames)


@dataclass(slots=True)
class _Stay:
    """Of one object of the truth, until it is out of view for as long as a tracker would remember it."""

    track_id: int
    started_at: float
    seen_at: float


class TrueRun:
    """What a detector and a tracker without a fault would have made of a recording, for policies to be held against.

    Who comes back late is somebody new, as to any tracker.
    """

    def __init__(self, truth: Truth, rule: Rule, *, lost_after_s: float) -> None:
        """`rule` is told of the objects with class_id 0, and makes the events."""
        self._truth = truth
        self._rule = rule
        self._lost_after_s = lost_after_s
        self._stays: dict[int, _Stay] = {}
        self._next_id = 1
        self._run = Run("truth")

    def show(self, frame: Frame) -> None:
        """Take in who is there on a frame."""
        tracks = self._follow(frame.seq + 1, frame.captured_at)
        self._run.looks += 1
        self._run.events += self._rule.update(tracks)
        self._run.show(tracks, [self._rule])

    def finish(self) -> Run:
        """Close what is open and hand back what came of it."""
        self._run.events += self._rule.finish(self._run.at[-1] if self._run.at else 0.0)
        return self._run

    def _follow(self, number: int, at: float) -> Tracks:
        ids, xyxy = self._truth.shown(number)
        stays, count = [self._stay(one, at) for one in ids.tolist()], len(ids)
        return Tracks(
            at,
            np.array([stay.track_id for stay in stays], np.int64),
            np.full(count, TrackState.CONFIRMED, np.int8),
            xyxy.astype(np.float32),
            np.ones(count, np.float32),
            np.zeros(count, np.int32),
            np.array([stay.started_at for stay in stays], np.float64),
            np.full(count, at),
        )

    def _stay(self, one: int, at: float) -> _Stay:
        stay = self._stays.get(one)
        if stay is None or at - stay.seen_at > self._lost_after_s:
            stay = self._stays[one] = _Stay(self._next_id, at, at)
            self._next_id += 1
        stay.seen_at = at
        return stay
