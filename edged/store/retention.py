"""What is too old or too much, and goes.

Each step deletes a little and says whether there is more, so that a long clean-up never keeps events waiting. Rows go
before their pictures: a crash in between leaves a picture without a row, and never a row without its picture. Steps
raise sqlite3.Error; a picture that cannot be deleted is told in the log.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from edged.clock import Clock
from edged.store.rows import day_of, snapshot_path
from edged.store.snapshots import Sweeper, days_in, pictures_of

_PRUNE_EVERY_S = 600.0
_STEADY_CLOCK_S = 60.0
_ROWS_A_STEP = 500
_DAY_S = 86_400.0
_FIRST_TRUE_WALL_AT = 1_672_531_200.0  # 2023-01-01: what bears an earlier time was written before the clock was set
_DOUBT_KEEPS = 1000  # the newest events, which a clock that nobody has set deletes never
_NEWEST_DAYS = 2  # a crash leaves orphans only where pictures were being written


class Retention:
    """Deletes what is older than some days, and the oldest pictures when all together are too big.

    It looks at the start, since no run may ever last for ten minutes (recordings, a box that wakes up now and then, or
    that crashes again and again), and then every ten minutes. Events go in the order in which they were written: with
    the last old one all that were written before it, whatever time they bear, but none from the first young one on. How
    old one is, the monotonic clock tells within a boot, and the wall clock otherwise; a time from before edged existed,
    or that is still to come, tells nothing. So a box that boots in the past, and gets the true time later or never,
    neither loses its events, or those before them, too soon nor keeps them for ever. No event goes at a look between
    which and the last one the wall clock jumped by more than a minute, nor at the start unless a time server has set
    the clock. While none has, the newest thousand events stay, however old they seem.
    """

    def __init__(self, clock: Clock, *, keep_days: float | None, snapshots_max_bytes: int | None) -> None:
        """None keeps everything."""
        self._clock = clock
        self._keep_days = keep_days
        self._snapshots_max_bytes = snapshots_max_bytes
        self._look_at = clock.monotonic()
        self._offset_s: float | None = None  # of the wall clock, at the last step
        self._by_age = True  # unless the clock is in doubt, for the rest of this look
        self._sweeper = Sweeper()

    def keep(self, *, days: float | None, snapshots_max_bytes: int | None) -> None:
        """Keep so much from now on. Any thread."""
        self._keep_days = days
        self._snapshots_max_bytes = snapshots_max_bytes

    def step(self, connection: sqlite3.Connection, folder: Path) -> None:
        """Delete a little, when it is time. Raises sqlite3.Error."""
        if self._clock.monotonic() < self._look_at:
            return
        self._by_age &= self._clock_is_steady()
        if not self._prune(connection, folder, by_age=self._by_age):
            self._look_at, self._by_age = self._clock.monotonic() + _PRUNE_EVERY_S, True

    def _prune(self, connection: sqlite3.Connection, folder: Path, *, by_age: bool) -> bool:
        more = False
        if by_age and self._keep_days is not None:
            more = self._prune_events(connection, folder, self._keep_days * _DAY_S)
        if self._snapshots_max_bytes is not None:
            more |= prune_snapshots(connection, folder, self._sweeper, bytes_max=self._snapshots_max_bytes)
        return more

    def _prune_events(self, connection: sqlite3.Connection, folder: Path, keep_s: float) -> bool:
        at, wall_at = self._clock.monotonic(), self._clock.wall()
        kept = _Kept(self._clock.boot_id(), at - keep_s, at, wall_at - keep_s, wall_at)
        last_id = _last_old(connection, kept)
        if self._clock.synchronised() is not True:
            last_id = min(last_id, _newest(connection, _DOUBT_KEEPS))
        return _prune_events(connection, folder, self._sweeper, kept, last_id=last_id)

    def _clock_is_steady(self) -> bool:
        before, self._offset_s = self._offset_s, self._clock.wall() - self._clock.monotonic()
        if before is None:
            return self._clock.synchronised() is True
        return abs(self._offset_s - before) <= _STEADY_CLOCK_S


@dataclass(frozen=True, slots=True)
class _Kept:
    """The time whose events are kept: by the monotonic clock those of this boot, by the wall clock others."""

    boot_id: str
    from_at: float
    to_at: float
    from_wall_at: float
    to_wall_at: float


def _prune_events(connection: sqlite3.Connection, folder: Path, sweeper: Sweeper, kept: _Kept, *, last_id: str) -> bool:
    """Delete some events up to the one with this id, but none from the first young one on, with their pictures.

    True when there may be more. Runs without an event, and days without a picture, go by the wall clock. One without an
    end goes only when it is of another boot: of this boot it may be the run that goes on.
    """
    rows = connection.execute(
        "SELECT event_id, wall_at, CASE boot_id WHEN ? THEN at BETWEEN ? AND ? ELSE wall_at BETWEEN ? AND ? END "
        "FROM events LEFT JOIN runs USING (run_id) WHERE event_id <= ? ORDER BY event_id LIMIT ?",
        (kept.boot_id, kept.from_at, kept.to_at, kept.from_wall_at, kept.to_wall_at, last_id, _ROWS_A_STEP),
    ).fetchall()
    old = [(event_id, wall_at) for event_id, wall_at, _ in takewhile(lambda row: not row[2], rows)]
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany("DELETE FROM events WHERE event_id = ?", [row[:1] for row in old])
    connection.execute("COMMIT")
    sweeper.delete(_pictures(folder, old))
    if len(old) < _ROWS_A_STEP:
        _forget_runs(connection, boot_id=kept.boot_id, before_wall_at=kept.from_wall_at)
        sweeper.delete_days(
            folder, before=day_of(kept.from_wall_at), is_kept=lambda picture: _has_row(connection, picture)
        )
    return len(old) == _ROWS_A_STEP


def _forget_runs(connection: sqlite3.Connection, *, boot_id: str, before_wall_at: float) -> None:
    """Delete old runs without an event."""
    # SQLite's own check would look through all events for each run, where this looks once for all of them. An index for
    # it would make every event write a third more (a page of four).
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute(
        "DELETE FROM runs WHERE (ended_wall_at IS NOT NULL OR boot_id != ?) AND started_wall_at < ? "
        "AND run_id NOT IN (SELECT run_id FROM events)",
        (boot_id, before_wall_at),
    )
    connection.execute("PRAGMA foreign_keys = ON")


def _last_old(connection: sqlite3.Connection, kept: _Kept) -> str:
    """The id of the newest event that is old, or "": in this boot by the monotonic clock, in others by the wall's."""
    of_others = connection.execute(
        "SELECT max(event_id) FROM events JOIN runs USING (run_id) WHERE wall_at < ? AND wall_at >= ? AND boot_id != ?",
        (kept.from_wall_at, _FIRST_TRUE_WALL_AT, kept.boot_id),
    ).fetchone()[0]
    of_this = None
    if kept.from_at > 0:  # else the boot is younger than what is kept
        of_this = connection.execute(
            "SELECT max(event_id) FROM events JOIN runs USING (run_id) WHERE boot_id = ? AND at < ?",
            (kept.boot_id, kept.from_at),
        ).fetchone()[0]
    return max(of_others or "", of_this or "")


def _newest(connection: sqlite3.Connection, count: int) -> str:
    """The id of the last event that is not one of the newest `count`; "" when there are not so many."""
    found = connection.execute(
        "SELECT event_id FROM events ORDER BY event_id DESC LIMIT 1 OFFSET ?", (count,)
    ).fetchone()
    return str(found[0]) if found else ""


def prune_snapshots(connection: sqlite3.Connection, folder: Path, sweeper: Sweeper, *, bytes_max: int) -> bool:
    """Delete some of the oldest pictures while all together are too big; their events stay. True when more must go."""
    total = connection.execute("SELECT total(snapshot_bytes) FROM events WHERE snapshot IS NOT NULL").fetchone()[0]
    excess = total - bytes_max
    if excess <= 0:
        return False
    chosen = []
    for event_id, wall_at, picture_bytes in connection.execute(
        "SELECT event_id, wall_at, ifnull(CAST(snapshot_bytes AS INTEGER), 0) FROM events "  # it may be damaged
        "WHERE snapshot IS NOT NULL ORDER BY event_id LIMIT ?",
        (_ROWS_A_STEP,),
    ):
        if excess <= 0:
            break
        chosen.append((event_id, wall_at))
        excess -= picture_bytes
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany("UPDATE events SET snapshot = NULL WHERE event_id = ?", [row[:1] for row in chosen])
    connection.execute("COMMIT")
    sweeper.delete(_pictures(folder, chosen))
    return bool(excess > 0)


def _pictures(folder: Path, rows: Iterable[tuple[str, float]]) -> Iterator[str]:
    """Where the pictures of events lie, by their ids and times; of a time that was damaged nobody knows the day."""
    for event_id, wall_at in rows:
        try:
            path = snapshot_path(event_id, wall_at)
        except (ValueError, TypeError, OverflowError):
            continue
        yield f"{folder}/{path}"


def remove_orphans(connection: sqlite3.Connection, folder: Path, *, half_written_only: bool) -> int:
    """Delete what a crash left of the newest pictures: those half written, and those whose row never came.

    Return how many. Raises sqlite3.Error.
    """
    sweeper = Sweeper()
    orphans: list[Path] = []
    with sweeper.telling(folder / "snapshots"):
        days = sorted(days_in(folder), key=lambda day: day.stat().st_mtime)[-_NEWEST_DAYS:]
        orphans += [
            picture
            for day in days
            for picture in pictures_of(day)
            if picture.suffix == ".tmp" or (not half_written_only and not _has_row(connection, picture))
        ]
    return sweeper.delete(orphans)


def _has_row(connection: sqlite3.Connection, picture: Path) -> bool:
    return connection.execute("SELECT 1 FROM events WHERE event_id = ?", (picture.stem,)).fetchone() is not None
