"""The event log's writer."""

from __future__ import annotations

import logging
import math
import sqlite3
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from edged.clock import Clock, wall_at
from edged.disk import sync_folder
from edged.domain.events import Event, EventRecord
from edged.domain.health import StoreStatus
from edged.domain.pulse import Pulse
from edged.domain.words import counted
from edged.errors import StoreCorrupt, StoreError, is_full
from edged.store.database import FILE_NAME, SQLITE_ERRORS, check, is_damage, store_error
from edged.store.ids import Uuid7
from edged.store.lock import FolderLock, not_writable
from edged.store.opening import DAMAGED_AFTER, Opened, Run, open_or_salvage, remove_leftovers
from edged.store.outage import Outage
from edged.store.renewal import exchange, log_bytes, make_copy, readers
from edged.store.retention import Retention
from edged.store.rows import INSERT, record_to_row, snapshot_path
from edged.store.snapshots import write_snapshots
from edged.store.waiting import Waiting, WaitingRoom

log = logging.getLogger(__name__)

OPEN_WITHIN_S = 600.0
"""How long open() may take: all rows of a damaged database are copied one by one."""

_WRITE_WITHIN_S = 30.0  # a worn card may take seconds over a commit, or over a picture

WRITE_EVERY_S = 0.25  # so an event is on the disk about half a second after put() at the latest
_BATCH_MAX = 100
_FIRST_RETRY_AFTER_S = 1.0
_LONGEST_RETRY_AFTER_S = 30.0
_FIRST_CHECK_AFTER_S = 600.0  # a start has enough to read
_CHECK_EVERY_S = 86_400.0
_QUIET_AFTER_FLOOD_S = 60.0  # the log tells of a flood of events, and not again until this long after it has passed


class EventStore:
    """Takes events at once and writes them soon, in short transactions, from one thread.

    put() may be called from any thread. Everything else belongs to one thread at a time: open(), then run() or step()
    again and again, then close(). While the disk is full, read-only or failing, events wait in memory and writing is
    tried again after 1, 2, 4 … 30 s; the first failure and the recovery are logged, and `status` has the rest.
    """

    def __init__(
        self,
        folder: Path,
        *,
        clock: Clock,
        version: str,
        retention: Retention | None = None,
        waiting_max: int = 10_000,
        waiting_snapshot_bytes_max: int = 32 * 1024 * 1024,
        log_max_bytes: int = 64 * 1024 * 1024,
    ) -> None:
        """`version` is edged's own, for the list of runs; `log_max_bytes` bounds the write-ahead log.

        Nothing is touched on the disk until open() or step().
        """
        self.pulse = Pulse("store")
        self._folder = folder
        self._path = folder / FILE_NAME
        self._clock = clock
        self._retention = retention
        self._ids = Uuid7(clock)
        self._run = Run(
            run_id=self._ids(),
            boot_id=clock.boot_id(),
            started_wall_at=clock.wall(),
            started_at=clock.monotonic(),
            version=version,
        )
        self._lock = FolderLock(folder)
        self._waiting = WaitingRoom(events_max=waiting_max, snapshot_bytes_max=waiting_snapshot_bytes_max)
        self._batch: list[tuple[EventRecord, bytes | None]] = []  # taken from the queue, not on the disk yet
        self._log_max_bytes = self._renew_at_bytes = log_max_bytes
        self._opened: Opened | None = None
        self._inode = 0
        self._complaints = 0  # of SQLite, in a row, that the file is damaged
        self._written = 0
        self._refused = 0
        self._pictures_lost = 0  # since they could not be written, though their events could
        self._pictures_fail = False
        self._error: StoreError | None = None
        self._outage: Outage | None = None
        self._retry_at = -math.inf
        self._retry_after_s = _FIRST_RETRY_AFTER_S
        self._tell_flood_at = -math.inf
        self._check_at = clock.monotonic() + _FIRST_CHECK_AFTER_S
        self._stop = threading.Event()  # that of run()

    @property
    def run_id(self) -> str:
        """The name of this run of the daemon."""
        return self._run.run_id

    @property
    def status(self) -> StoreStatus:
        """How it goes. Any thread."""
        return StoreStatus(
            written=self._written,
            waiting=len(self._waiting) + len(self._batch),
            dropped=self._waiting.dropped + self._refused,
            snapshots_dropped=self._waiting.snapshots_dropped + self._pictures_lost,
            error=None if self._error is None else self._error.message,
        )

    def put(self, event: Event, snapshot_jpeg: bytes | None) -> None:
        """Take an event in. Never waits for the disk; when the queue is full, the oldest event makes room."""
        has_room = self._waiting.put(Waiting(event, wall_at(self._clock, event.at), snapshot_jpeg))
        if not has_room and self._clock.monotonic() >= self._tell_flood_at:
            self._tell_flood_at = math.inf
            log.error("too many events wait to be written: from now on the oldest are lost (`edged status` counts)")

    def open(self) -> None:
        """Lock the data folder and get the database ready; made where there is none, mended where it is damaged.

        Raises StoreLocked, StoreNewer and StoreNotWritable; the lock stays held until close(). After StoreDiskFails,
        which is one of the last, run() may be called all the same: it tries again by itself.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
            self._opened = open_or_salvage(
                self._folder,
                self._run,
                wall_at=self._clock.wall(),
                complaints=self._complaints,
                outage_s=None if self._outage is None else self._clock.monotonic() - self._outage.began_at,
            )
            sync_folder(self._folder)
            self._inode = self._path.stat().st_ino
        except OSError as error:
            raise not_writable(self._folder, error) from error
        self._ids.skip_past(self._opened.last_event_id)
        if self._complaints >= DAMAGED_AFTER:
            self._complaints = 0  # that was another file

    def run(self, stop: threading.Event) -> None:
        """Write what comes until `stop` is set, and then what is left."""
        self._stop = stop
        while not stop.is_set():
            self.step()
            self._clock.wait(stop, WRITE_EVERY_S)
        self.flush()
        if self.status.waiting:
            left = counted(self.status.waiting, "event was", "events were")
            log.error("%s never written: %s", left, self.status.error)

    def flush(self) -> None:
        """Write what waits, now, even if writing failed a moment ago."""
        self._retry_at = -math.inf
        self.step()

    def step(self) -> None:
        """Write what waits, unless writing failed and it is too early to try again."""
        self._go_on()
        if self._clock.monotonic() < self._retry_at:
            return
        try:
            if self._opened is None or self._file_was_replaced():
                self.pulse.begin("opening the event log", within_s=OPEN_WITHIN_S)
                self._close_connection()
                self.open()
                self._go_on()
            self._write_all()
        except StoreError as error:
            self._put_off(error)
        else:
            self._tell_recovery()

    def close(self) -> None:
        """Mark the run as cleanly ended and let go of the folder. Harmless when closed already."""
        if self._opened is not None:
            try:
                self._opened.connection.execute(
                    "UPDATE runs SET ended_wall_at = ? WHERE run_id = ?", (self._clock.wall(), self.run_id)
                )
            except SQLITE_ERRORS as error:
                log.warning("cannot note the clean end of this run: %s", store_error(error, self._path).message)
        self._close_connection()
        self._lock.release()

    def _write_all(self) -> None:
        assert self._opened is not None
        connection = self._opened.connection
        try:
            if self._retention is not None:  # first: it may make the room that writing waits for
                self.pulse.begin("deleting what is old", within_s=_WRITE_WITHIN_S)
                self._retention.step(connection, self._folder)
            while self._batch or len(self._waiting):
                self._write_batch(connection)
            if log_bytes(self._path) > self._renew_at_bytes:
                self._renew(connection)
            if self._clock.monotonic() >= self._check_at:
                self._check()
        except OSError as error:
            raise not_writable(self._folder, error) from error
        except SQLITE_ERRORS as error:
            raise store_error(error, self._path) from error

    def _check(self) -> None:
        """Look through the whole file, since writing does not meet damage among old events. Raises StoreError."""
        self._check_at = self._clock.monotonic() + _CHECK_EVERY_S
        self.pulse.begin("checking the event log", within_s=OPEN_WITHIN_S)
        check(self._path, self._stop.is_set)
        self._go_on()

    def _renew(self, connection: sqlite3.Connection) -> None:
        """Begin a new database, since somebody reads the old one without end and its log grows."""
        self.pulse.begin("copying the event log", within_s=OPEN_WITHIN_S)
        size_bytes = log_bytes(self._path)
        log.warning(
            "the write-ahead log has grown to %.1f MB, since a reader holds it: %s; a copy takes the event log's place",
            size_bytes / 1e6,
            ", ".join(readers(self._path)) or "unknown to this user",
        )
        try:
            make_copy(connection, self._path)
        except (*SQLITE_ERRORS, OSError) as error:
            if not isinstance(error, OSError) and is_damage(error):
                raise  # as one that a query meets
            log.warning("the event log could not be copied, which is tried again at twice its log's size: %s", error)
            self._renew_at_bytes = 2 * size_bytes
            remove_leftovers(self._path)  # half a copy takes room that events may need
        else:
            self._renew_at_bytes = self._log_max_bytes
            self._close_connection()
            exchange(self._path)
        self._go_on()

    def _write_batch(self, connection: sqlite3.Connection) -> None:
        if not self._batch:
            self._batch = [self._stamp(waiting) for waiting in self._waiting.take(_BATCH_MAX)]
        pictures = {record.snapshot: jpeg for record, jpeg in self._batch if record.snapshot and jpeg}
        trouble = self._write_pictures(pictures)
        self._go_on()
        batch = (
            self._batch if trouble is None else [(replace(record, snapshot=None), None) for record, _ in self._batch]
        )
        connection.execute("BEGIN IMMEDIATE")
        refused = sum(not _insert(connection, record, len(jpeg or b"")) for record, jpeg in batch)
        connection.execute("COMMIT")
        self._written += len(batch) - refused
        self._refused += refused
        self._batch = []
        if pictures:
            self._note_pictures(len(pictures), trouble)

    def _go_on(self) -> None:
        self.pulse.begin("writing events", within_s=_WRITE_WITHIN_S)

    def _write_pictures(self, pictures: Mapping[str, bytes]) -> OSError | None:
        """Write them, or say why only they cannot be; raises OSError on a full disk, where events wait with them."""
        try:
            write_snapshots(self._folder, pictures, on_each=self._go_on)
        except OSError as error:
            if is_full(error):
                raise
            return error
        return None

    def _note_pictures(self, count: int, trouble: OSError | None) -> None:
        """Count and tell, once the events are written: until then their pictures wait with them."""
        if trouble is not None:
            self._pictures_lost += count
            if not self._pictures_fail:
                path = Path(trouble.filename or self._folder / "snapshots")
                log.error("events are kept without their pictures: %s", not_writable(path, trouble))
        elif self._pictures_fail:
            log.warning("pictures are written again; %d were lost in this run so far", self._pictures_lost)
        self._pictures_fail = trouble is not None

    def _stamp(self, waiting: Waiting) -> tuple[EventRecord, bytes | None]:
        """Name an event. Only now, so that ids ascend in the order of writing, whatever the clock does."""
        event_id = self._ids()
        record = EventRecord(
            event_id=event_id,
            event=waiting.event,
            wall_at=waiting.wall_at,
            boot_id=self._run.boot_id,
            run_id=self._run.run_id,
            snapshot=snapshot_path(event_id, waiting.wall_at) if waiting.snapshot_jpeg else None,
        )
        return record, waiting.snapshot_jpeg

    def _file_was_replaced(self) -> bool:
        """Tell whether the database was deleted or exchanged: what is written to the old one, nobody will read."""
        try:
            if self._path.stat().st_ino == self._inode:
                return False
        except FileNotFoundError:
            pass
        except OSError:
            return True  # of which opening it anew has more to say
        log.warning("%s was deleted or exchanged by somebody else; events go on in the one there now", self._path)
        return True

    def _put_off(self, error: StoreError) -> None:
        if self._error is None:
            log.error("events wait in memory: %s", error)
        self._outage = self._outage or Outage(error, self._clock.monotonic(), self._lost)
        self._outage.failed()
        self._error = error
        self._complaints += isinstance(error, StoreCorrupt)
        self._close_connection()
        self._retry_at = self._clock.monotonic() + self._retry_after_s
        self._retry_after_s = min(2 * self._retry_after_s, _LONGEST_RETRY_AFTER_S)

    def _tell_recovery(self) -> None:
        if self._error is not None:
            log.warning("events are written again; %d were lost in this run so far", self.status.dropped)
        if self._tell_flood_at == math.inf:
            self._tell_flood_at = self._clock.monotonic() + _QUIET_AFTER_FLOOD_S
        self._error = None
        self._complaints = 0
        self._retry_after_s = _FIRST_RETRY_AFTER_S
        if self._outage is not None and (event := self._outage.worked(self._clock.monotonic(), self._lost)):
            self.put(event, None)
            self._outage = None

    @property
    def _lost(self) -> int:
        """Events and pictures, in this run."""
        return self.status.dropped + self.status.snapshots_dropped

    def _close_connection(self) -> None:
        with suppress(*SQLITE_ERRORS):  # it failed before, or it is about to be opened anew
            if self._opened is not None:
                self._opened.connection.close()
        self._opened = None


def _insert(connection: sqlite3.Connection, record: EventRecord, snapshot_bytes: int) -> bool:
    """Write one event; False, with a word in the log, when no database would take it (a box that is not a number)."""
    try:
        connection.execute(INSERT, (*record_to_row(record), snapshot_bytes))
    except (sqlite3.IntegrityError, OverflowError, ValueError) as error:
        if "FOREIGN KEY" in str(error):
            raise  # the entry of this run is gone or damaged: opening the log anew makes it again
        log.error("an event cannot be written and is lost: %s: %s", error, record.event)
        return False
    return True
