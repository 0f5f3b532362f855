"""Keeps the record of this run, and tells of the last one."""

from __future__ import annotations

import logging
import os
import shutil
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from edged.clock import Clock
from edged.domain.events import EventKind, MachineEvent
from edged.domain.health import DaemonStatus, LastEnd
from edged.domain.pulse import Pulse
from edged.errors import DaemonError
from edged.health.disk_probe import ask_disk
from edged.health.failing import ToldOnce
from edged.health.run_record import NAME, RunRecord, read_record, read_service_result, why_ended, write_record
from edged.health.status_file import read_status
from edged.health.status_line import in_one_line
from edged.ports import EventSink

log = logging.getLogger(__name__)

_WRITE_EVERY_S = 600.0  # each time costs the card some 20 kB
_FIRST_WRITE_AFTER_S = 5.0  # of how it is when it is under way; then after as long again as it has run
_ASK_DISK_EVERY_S = 30.0
_SILENT_AFTER_S = 20.0
_LOOK_EVERY_S = 2.0
_LAST_WORD_WITHIN_S = 2.0
_DISK_WITHIN_S = 30.0  # a worn card may take seconds over a write


class RunKeeper:
    """run() is a loop for a thread of its own: a disk that does not answer holds up that thread, and its pulse tells.

    A disk that is full or read-only answers: that is told once, and tried again.
    """

    def __init__(self, folder: Path, *, run_id: str, version: str, clock: Clock, status_path: Path) -> None:
        """Read what the last run left in the data folder, which is this daemon's own by now, and begin a new record.

        `status_path` is the status file, which still is the last run's.
        """
        self.pulse = Pulse("record")
        self.disk_free_bytes: int | None = None
        self.last_end = _last_end(folder, status_path, clock)
        self._folder = folder
        self._clock = clock
        self._record = RunRecord(
            run_id=run_id,
            boot_id=clock.boot_id(),
            pid=os.getpid(),
            version=version,
            started_wall_at=clock.wall(),
            written_wall_at=clock.wall(),
            uptime_s=0.0,
            state="running",
            summary="it had only just started",
        )
        self._status: DaemonStatus | None = None
        self._told_at = clock.monotonic()
        self._told_once = ToldOnce()
        self._disk = threading.Lock()  # held by whoever waits for it
        self._write(self._record)

    def tell(self, events: EventSink) -> None:
        """Say why the last run ended: in the log, and as an event where nobody asked for it."""
        end = self.last_end
        if end is None:
            return
        words = "the last run ended by %s after %.0f s: %s; it was last heard of with: %s"
        level = logging.INFO if end.reason == "stop" else logging.WARNING
        log.log(level, words, end.reason, end.uptime_s, end.detail, end.summary)
        if end.reason != "stop":
            at = self._clock.monotonic()
            events.put(MachineEvent(EventKind.RESTARTED, at, at, end.reason, end.detail), None)

    def __call__(self, status: DaemonStatus) -> None:
        """Take in the status. An end is recorded at once, what runs by run()."""
        self._status, self._told_at = status, self._clock.monotonic()
        if status.state == "running":
            return
        if not self._disk.acquire(timeout=_LAST_WORD_WITHIN_S):
            log.error("the end of this run is not recorded: the disk does not answer")
            return
        try:
            self._write(_brought_up_to_date(self._record, status))
        finally:
            self._disk.release()

    def run(self, stop: threading.Event) -> None:
        """Record the run until `stop` is set."""
        started_at = ask_at = self._clock.monotonic()
        write_at, state = started_at + _FIRST_WRITE_AFTER_S, "running"
        while not stop.is_set():
            self.pulse.begin("waiting for the disk of the data folder", within_s=_DISK_WITHIN_S)
            now = self._clock.monotonic()
            with self._disk:
                self._look_at_disk()
                if now >= ask_at:
                    ask_at = now + _ASK_DISK_EVERY_S
                    ask_disk(self._folder / NAME)
                record = self._record_now()
                if now >= write_at or record.state != state:
                    write_at, state = now + min(now - started_at, _WRITE_EVERY_S), record.state
                    self._write(record)
            self.pulse.begin("at rest")
            self._clock.wait(stop, _LOOK_EVERY_S)

    def _look_at_disk(self) -> None:
        try:
            self.disk_free_bytes = shutil.disk_usage(self._folder).free
        except OSError:  # the store tells
            self.disk_free_bytes = None

    def _record_now(self) -> RunRecord:
        """The record of the last status; when that is old, of a main thread that hangs, in case that is its end."""
        record = self._record if self._status is None else _brought_up_to_date(self._record, self._status)
        if self._clock.monotonic() - self._told_at <= _SILENT_AFTER_S:
            return record
        return replace(record, state=f"hung: The main thread has given no sign for {_SILENT_AFTER_S:g} s.")

    def _write(self, record: RunRecord) -> None:
        self._told_once(lambda: write_record(self._folder, record))


def _last_end(folder: Path, status_path: Path, clock: Clock) -> LastEnd | None:
    service_result = read_service_result(folder)
    record = read_record(folder)
    if record is None:
        return None
    with suppress(DaemonError):
        status = read_status(status_path)
        if status.run_id == record.run_id and round(status.uptime_s, 1) > record.uptime_s:
            record = _brought_up_to_date(record, status)
    return why_ended(record, service_result, boot_id=clock.boot_id())


def _brought_up_to_date(record: RunRecord, status: DaemonStatus) -> RunRecord:
    return replace(
        record,
        written_wall_at=status.written_wall_at,
        uptime_s=round(status.uptime_s, 1),
        state=status.state,
        summary=in_one_line(status),
    )
