"""What a worker is at, and how long that may take: by this one judges whether it hangs."""

from __future__ import annotations

from dataclasses import dataclass

MOMENT_S = 20.0
"""What a sound worker does in a moment may take so long on a board that is slow, hot and short of memory."""


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """One stretch of work. Two of them are never equal: a new one is progress, even when it is of the same kind."""

    what: str  # "taking frames", "writing events"
    within_s: float


class Pulse:
    """A worker's mark of progress. The worker sets it, any thread looks at it; nobody waits.

    A worker has a task at all times: waiting for work is one too, renewed each time that the loop comes round.
    """

    def __init__(self, worker: str) -> None:
        self.worker = worker
        self.task = Task("starting", MOMENT_S)

    def begin(self, what: str, *, within_s: float = MOMENT_S) -> None:
        """Go on to the next task, which is to be over `within_s` seconds from now."""
        self.task = Task(what, within_s)
