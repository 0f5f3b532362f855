"""When a lost camera is tried again."""

from __future__ import annotations

from edged.errors import SourceBroken, SourceError, SourceLost, SourceNotFound, SourceStalled

_ABSENT = (SourceNotFound, SourceLost)
_HANGS = (SourceStalled, SourceBroken)

_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30.0
_LONGEST_PAUSE_WHILE_THERE_S = 2.0  # nothing in /dev tells when another program lets go of it, or a driver recovers
_RESET_AFTER = 2  # reopenings that ended in a hang again


class Retries:
    """Pauses of 0.5, 1, 2 … 30 s for a camera that is not there, up to 2 s for one that is; and one reset an outage."""

    def __init__(self) -> None:
        self._pause_s = _FIRST_PAUSE_S
        self._hangs = 0  # on end
        self._was_reset = False

    def pause_s(self, error: SourceError) -> float:
        """How long to wait after this fault; longer the next time."""
        longest_s = _LONGEST_PAUSE_S if isinstance(error, _ABSENT) else _LONGEST_PAUSE_WHILE_THERE_S
        pause_s, self._pause_s = min(self._pause_s, longest_s), min(2 * self._pause_s, _LONGEST_PAUSE_S)
        return pause_s

    def reset_is_due(self, error: SourceError) -> bool:
        """Whether to reset the device after this fault; ask once a fault."""
        if self._was_reset or not isinstance(error, _HANGS):
            return False
        self._hangs += 1
        self._was_reset = self._hangs > _RESET_AFTER
        return self._was_reset

    def hurry(self) -> None:
        """Something has changed that may help: begin with short pauses again."""
        self._pause_s = _FIRST_PAUSE_S

    def worked(self, *, outage_is_over: bool) -> None:
        """A frame came."""
        self._pause_s = _FIRST_PAUSE_S
        self._hangs = 0
        if outage_is_over:
            self._was_reset = False
