"""Ground truth beside what a pipeline makes of a recording."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edged.app.outputs import class_of
from edged.domain.frame import Frame
from edged.domain.scheduling import Decision
from edged.domain.tracks import Tracks
from edged.errors import ConfigError
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
