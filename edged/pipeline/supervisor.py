"""Starts the workers in order, watches them, and stops them in the reverse order."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from edged.clock import Clock
from edged.domain.pulse import Pulse, Task
from edged.errors import DaemonCrashed, DaemonError, DaemonHung, EdgedError, SourceError
from edged.pipeline.worker import Worker

log = logging.getLogger(__name__)

Loop = Callable[[threading.Event], None]


class Change(Protocol):
    """A change of the running daemon, asked for by Supervisor.request_change()."""

    def prepare(self) -> None:
        """Get everything ready that takes long or may be refused. On a thread of its own; changes nothing yet."""
        ...

    def apply(self) -> None:
        """Put in force what is ready, if anything is. On the supervisor's thread, between two ticks."""
        ...


_HUNG_STOP_WITHIN_S = 2.0  # nobody waits for a worker that is known to hang
_LISTEN_EVERY_S = 0.2  # how long a request to stop may go unnoticed


class Supervisor:
    """Owns every thread of the daemon.

    `stages` are groups of loops in the order of their start: what takes in first (the store), what gives out last (the
    sources). They are stopped last stage first, so that nothing that was taken in is lost. The daemon's work is done
    when every loop of the stages after the first has returned by itself.
    """

    def __init__(
        self,
        stages: Sequence[dict[str, Loop]],
        *,
        clock: Clock,
        tick_s: float = 1.0,
        stop_within_s: float = 10.0,
        pulses: Callable[[], Iterable[Pulse]] = tuple,
    ) -> None:
        """`tick_s` is from one tick to the next; `stop_within_s` is how long the loops of one stage have to return.

        `pulses` are the marks of the workers, by whose names. Those of the first stage may take longer, as long as they
        make progress: a store has thousands of events to write after a time in which the disk was full.
        """
        self._clock = clock
        self._tick_s = tick_s
        self._stop_within_s = stop_within_s
        self._pulses = pulses
        self._wake = threading.Event()
        self._stop_requested = False
        self._change_requested = False
        self._preparing: Worker | None = None
        self._stages = [[Worker(name, loop, on_end=self._wake.set) for name, loop in stage.items()] for stage in stages]

    def request_stop(self) -> None:
        """Ask for a clean end, which begins within 0.2 s. Safe from a signal handler and from any thread."""
        # No more than this: a signal may interrupt run() inside the wake event, whose lock is not for taking twice.
        self._stop_requested = True

    def request_change(self) -> None:
        """Ask for the change that run() was given. Safe as request_stop() is; asking twice is asking once."""
        self._change_requested = True

    def add(self, name: str, loop: Loop) -> None:
        """Start one more worker of the last stage. Called by a Change in apply()."""
        worker = Worker(name, loop, on_end=self._wake.set)
        self._stages[-1].append(worker)
        worker.start()

    def remove(self, names: Iterable[str]) -> list[str]:
        """Stop workers of the last stage and forget them; return those that did not stop in time, which stay.

        Called by a Change in apply().
        """
        wanted = set(names)
        leaving = [worker for worker in self._stages[-1] if worker.name in wanted]
        hung = self._stop_workers(leaving)
        self._stages[-1] = [worker for worker in self._stages[-1] if worker not in leaving or worker.running]
        return hung

    def run(
        self,
        tick: Callable[[], object],
        *,
        on_stop: Callable[[], object] = lambda: None,
        change: Change | None = None,
    ) -> None:
        """Run all workers until the work is done, a stop is asked for, or one fails.

        Calls `tick` every `tick_s`, makes `change` whenever it is asked for, and calls `on_stop` before the workers are
        stopped and whenever that makes progress. What `tick` raises ends the run: with DaemonHung those that do not
        stop are not waited for as long. Raises what a worker raised: an EdgedError as it is, anything else as
        DaemonCrashed. A source that failed is no failure of a run that others carried on until it was stopped: the log
        has told it.
        """
        try:
            for stage in self._stages:
                for worker in stage:
                    worker.start()
            tick_at = self._clock.monotonic()
            while not (self._stop_requested or self._failed() or self._done()):
                if self._clock.monotonic() >= tick_at:
                    tick()
                    tick_at = self._clock.monotonic() + self._tick_s
                if change is not None:
                    self._make(change)
                self._clock.wait(self._wake, _LISTEN_EVERY_S)
                self._wake.clear()
            quitters = [worker.name for worker in self._stages[0] if not worker.running]
            carried_on = self._stop_requested and not self._failed() and not self._done()
        except DaemonHung:
            self._stop_within_s = min(self._stop_within_s, _HUNG_STOP_WITHIN_S)
            raise
        finally:
            hung = self._stop_all(on_stop)
        self._raise_failures(quitters, hung, but_of_sources=carried_on)

    @property
    def stopped(self) -> bool:
        """No worker runs. Not so after run() was interrupted, or when a worker hangs."""
        return not any(worker.running for stage in self._stages for worker in stage)

    @property
    def left_behind(self) -> bool:
        """What prepares a change still runs. It has changed nothing yet, and no stop waits for it."""
        return self._preparing is not None and self._preparing.running

    def _make(self, change: Change) -> None:
        """Take a change that was asked for one step further."""
        if self._preparing is None and self._change_requested:
            self._change_requested = False
            self._preparing = Worker("reload", lambda _: change.prepare(), on_end=self._wake.set)
            self._preparing.start()
        elif self._preparing is not None and not self._preparing.running:
            prepared, self._preparing = self._preparing, None
            if prepared.error is not None:
                raise _crash(prepared) from prepared.error
            change.apply()

    def _done(self) -> bool:
        return not any(worker.running for stage in self._stages[1:] for worker in stage)

    def _failed(self) -> bool:
        """Say whether going on is of no use. A source that failed does not stop the others; it is told at the end."""
        *others, sources = self._stages
        return (
            any(worker.error is not None for stage in others for worker in stage)
            or any(worker.error is not None and not isinstance(worker.error, SourceError) for worker in sources)
            or any(not worker.running for worker in self._stages[0])
        )

    def _stop_all(self, on_progress: Callable[[], object]) -> list[str]:
        """Stop all workers; return those that did not in time."""
        first, *others = self._stages
        hung = []
        for stage in reversed(others):
            on_progress()
            hung += self._stop_workers(stage)
        left, before = [worker.name for worker in first], None
        while left and (tasks := self._tasks(left)) != before:
            before = tasks
            on_progress()
            left = self._stop_workers(first)
        if self.left_behind:
            log.warning("the reload of the configuration goes on and is left behind: a model takes long to load")
        return hung + left

    def _tasks(self, names: Sequence[str]) -> set[Task]:
        return {pulse.task for pulse in self._pulses() if pulse.worker in names}

    def _stop_workers(self, workers: Sequence[Worker]) -> list[str]:
        """Stop them together; return those that did not in time."""
        for worker in workers:
            worker.ask_to_stop()
        deadline = self._clock.monotonic() + self._stop_within_s
        return [worker.name for worker in workers if not worker.join(max(0.0, deadline - self._clock.monotonic()))]

    def _raise_failures(self, quitters: list[str], hung: list[str], *, but_of_sources: bool) -> None:
        for stage in self._stages:
            for worker in stage:
                if but_of_sources and isinstance(worker.error, SourceError):
                    continue
                if isinstance(worker.error, EdgedError):
                    raise worker.error
                if worker.error is not None:
                    raise _crash(worker) from worker.error
        if quitters:
            raise DaemonCrashed(
                f"ended though nobody asked for it: {', '.join(quitters)}",
                hint="This is a bug in edged: please report it with the log.",
            )
        if hung:
            raise DaemonError(
                f"did not stop within {self._stop_within_s:g} s: {', '.join(hung)}",
                hint="A driver or disk may hang: see `dmesg`.",
            )


def _crash(worker: Worker) -> DaemonCrashed:
    return DaemonCrashed(
        f"the {worker.name} thread failed: {type(worker.error).__name__}: {worker.error}",
        hint="This is a bug in edged: please report it with the traceback above.",
    )
