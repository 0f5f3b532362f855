"""A time in which events could not be written, as one event afterwards."""

from __future__ import annotations

from edged.domain.events import EventKind, MachineEvent
from edged.domain.words import counted
from edged.errors import StoreCorrupt, StoreDiskFails, StoreError, StoreFull, StoreLocked, StoreNotWritable

STEADY_AFTER_S = 30.0
"""Writing that works for less long than this between two failures was not back: a disk that is all but full comes and
goes."""

_REASONS: dict[type[StoreError], str] = {
    StoreFull: "full",
    StoreCorrupt: "damaged",
    StoreLocked: "locked",
    StoreDiskFails: "not_writable",
    StoreNotWritable: "not_writable",
}


class Outage:
    """From the first failure until writing has worked for STEADY_AFTER_S."""

    def __init__(self, error: StoreError, at: float, lost: int) -> None:
        """`lost` is how many events and pictures were lost before it, in this run."""
        self._error = error
        self.began_at = at
        self._lost_before = lost
        self._back_at: float | None = None

    def failed(self) -> None:
        """Note that writing failed, again."""
        self._back_at = None

    def worked(self, at: float, lost: int) -> MachineEvent | None:
        """Note that writing works; return the event once it is time for it."""
        if self._back_at is None:
            self._back_at = at
        if at - self._back_at < STEADY_AFTER_S:
            return None
        count = lost - self._lost_before
        cost = counted(count, "event or picture was", "events or pictures were")
        detail = f"{self._error.message}; {cost} lost" if count else self._error.message
        reason = _REASONS.get(type(self._error), "failing")
        return MachineEvent(EventKind.STORAGE_BACK, self._back_at, self.began_at, reason, detail)
