"""The whole machine, put together and ready to run."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from edged.domain.health import DaemonStatus
from edged.domain.words import counted
from edged.errors import DaemonCrashed, DaemonHung, EdgedError, StoreNotWritable
from edged.health.liveness import Liveness
from edged.pipeline.reporter import Reporter
from edged.pipeline.supervisor import Change, Supervisor

log = logging.getLogger(__name__)

StatusListener = Callable[[DaemonStatus], None]
"""Told about once a second how things are: the status file, a progress bar."""


class Daemon:
    """What `edged run` and `edged demo` run."""

    def __init__(
        self,
        *,
        run_id: str,
        supervisor: Supervisor,
        reporter: Reporter,
        liveness: Liveness,
        listeners: Sequence[StatusListener],
        resources: ExitStack,
        change: Change | None = None,
    ) -> None:
        """`resources` is closed at the end of the run: the model, the store, the lock on the data folder.

        After an end that was interrupted, or that a hung thread held up, they stay open until the process is gone: a
        thread may be using them, and the store would note a clean end.
        """
        self.run_id = run_id
        self._supervisor = supervisor
        self._reporter = reporter
        self._liveness = liveness
        self._listeners = list(listeners)
        self._resources = resources
        self._change = change

    def listen(self, listener: StatusListener) -> None:
        """Have one more listener told."""
        self._listeners.append(listener)

    @property
    def left_behind(self) -> bool:
        """After run(): a thread that loads a model still runs, and is in nobody's way but that of an orderly exit."""
        return self._supervisor.left_behind

    def request_stop(self) -> None:
        """Ask for a clean end. Safe from a signal handler and from any thread."""
        self._supervisor.request_stop()

    def request_reload(self) -> None:
        """Ask for the configuration to be read again. Safe from a signal handler and from any thread."""
        self._supervisor.request_change()

    def run(self) -> DaemonStatus:
        """Run until every source has ended or a stop is asked for; everything that happened is committed then.

        Returns the last status. Raises EdgedError; StoreNotWritable when events were left that could not be written.
        """
        self._say_hello()
        gc.freeze()  # what is loaded by now stays: the collector need not look through it again and again
        try:
            self._supervisor.run(tick=self._tick, on_stop=self._liveness.stop_goes_on, change=self._change)
            self._refuse_loss()
            status = self._tell("stopped")
            log.info("stopped after %.0f s, %s written", status.uptime_s, counted(status.store.written, "event"))
            return status
        except BaseException as error:
            self._tell(_in_words(error))
            raise
        finally:
            if self._supervisor.stopped:
                self._resources.close()
                self._liveness.end()  # and if not: the process must end all the same, whatever a hung thread holds

    def _say_hello(self) -> None:
        status = self._reporter.report("starting")
        cameras = ", ".join(camera.camera for camera in status.cameras)
        log.info("edged %s watches %s with %s on %s", status.version, cameras, status.model, status.backend)

    def _refuse_loss(self) -> None:
        store = self._reporter.report("stopped").store
        lost = store.waiting + store.dropped
        if lost:
            why = store.error or "too many had to wait, or the database refused them; the log says when"
            raise StoreNotWritable(
                f"{counted(lost, 'event is', 'events are')} lost: {why}",
                hint="Make room on the disk, or let the user that edged runs as write there, and start again.",
            )

    def _tick(self) -> None:
        self._liveness.check()  # first: telling writes a file, and the disk may hang
        self._tell("running")

    def _tell(self, state: str) -> DaemonStatus:
        status = self._reporter.report(state)
        for listener in self._listeners:
            listener(status)
        return status


def _in_words(error: BaseException) -> str:
    if isinstance(error, DaemonHung):
        return f"hung: {error.message}"
    if isinstance(error, DaemonCrashed):
        return f"crashed: {error.message}"
    if isinstance(error, EdgedError):
        return f"failed: {error.message}"
    if isinstance(error, KeyboardInterrupt):
        return "failed: interrupted before the end"
    return f"crashed: {type(error).__name__}: {error}"
