"""A detector that finds what it was told to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from edged.domain.detections import Detections
from edged.domain.frame import Frame
from edged.errors import BackendError

Script = Sequence[Detections] | Callable[[Frame], Detections]


class ScriptedDetector:
    """Implements ports.Detector without a model.

    Levers: `script` holds the answers of the calls in turn (then nothing is found any more), or is a function of the
    frame; calls whose numbers (from 1) are in `fails_at` raise BackendError. `calls` counts them, the failed too.
    """

    def __init__(self, labels: Sequence[str], script: Script, *, fails_at: Collection[int] = ()) -> None:
        self.labels = labels
        self.calls = 0
        self._script = script
        self._fails_at = fails_at

    def detect(self, frame: Frame) -> Detections:
        """See ports.Detector. The frame is decoded, as a real detector would."""
        frame.image()
        self.calls += 1
        if self.calls in self._fails_at:
            raise BackendError(f"Call {self.calls} was told to fail.", hint="Change fails_at.")
        if callable(self._script):
            return self._script(frame)
        return self._script[self.calls - 1] if self.calls <= len(self._script) else Detections.empty()
