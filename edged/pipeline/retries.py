"""When a lost camera is tried again."""

from __future__ import annotations

from edged.errors import SourceBroken, SourceError, SourceStalled

_HANGS = (SourceStalled, SourceBroken)

_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 2.0  # a try is cheap, and not every machine tells when a camera comes, or can be had again
_RESET_AFTER = 2  # reopenings that ended in a hang again


class Retries:
    """Pauses of 0.5, 1, 2, 2 … s, and one reset an outage for a camera that hangs."""

    def __init__(self) -> None:
        self._pause_s = _FIRST_PAUSE_S
        self._hangs = 0  # in this outage
        self._was_reset = False

    def pause_s(self) -> float:
        """How long to wait before the next try; longer the next time."""
        pause_s, self._pause_s = self._pause_s, min(2 * self._pause_s, _LONGEST_PAUSE_S)
        return pause_s

    def reset_is_due(self, error: SourceError) -> bool:
        """Whether to reset the device after this fault; ask once a fault."""
        if self._was_reset or not isinstance(error, _HANGS):
            return False
        self._hangs += 1
        self._was_reset = self._hangs > _RESET_AFTER
        return self._was_reset

    def worked(self, *, outage_is_over: bool) -> None:
        """A frame came. A camera that gives one after each opening and hangs again still hangs."""
        self._pause_s = _FIRST_PAUSE_S
        if outage_is_over:
            self._hangs = 0
            self._was_reset = False
