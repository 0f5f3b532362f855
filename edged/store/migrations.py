"""The schema and its history. PRAGMA user_version says how many of these steps a file has gone through.

A step is never changed once it was released; the schema changes by a new step at the end of the list.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

APPLICATION_ID = 0x65646764  # "edgd", in the file's header: see `PRAGMA application_id`

Migration = tuple[str, ...]
"""The statements of one step; they run in one transaction."""

MIGRATIONS: tuple[Migration, ...] = (
    (
        f"PRAGMA application_id = {APPLICATION_ID}",
        """
        CREATE TABLE runs (
            run_id          TEXT PRIMARY KEY,
            boot_id         TEXT NOT NULL,
            started_wall_at REAL NOT NULL, -- seconds since 1970-01-01 UTC
            started_at      REAL NOT NULL, -- monotonic seconds within the boot
            version         TEXT NOT NULL, -- of edged
            ended_wall_at   REAL           -- NULL until a clean stop
        )
        """,
        """
        CREATE TABLE events (
            event_id       TEXT PRIMARY KEY,                     -- UUIDv7, ascends in the order of writing
            run_id         TEXT NOT NULL REFERENCES runs (run_id),
            kind           TEXT NOT NULL,
            camera         TEXT NOT NULL,
            label          TEXT NOT NULL,
            confidence     REAL NOT NULL,
            wall_at        REAL NOT NULL,                        -- seconds since 1970-01-01 UTC
            at             REAL NOT NULL,                        -- monotonic seconds within the run's boot
            started_at     REAL NOT NULL,
            duration_s     REAL NOT NULL,
            track_id       INTEGER NOT NULL,
            left_px        REAL NOT NULL,
            top_px         REAL NOT NULL,
            width_px       REAL NOT NULL,
            height_px      REAL NOT NULL,
            entry_x        REAL NOT NULL,
            entry_y        REAL NOT NULL,
            exit_x         REAL,
            exit_y         REAL,
            reason         TEXT,
            snapshot       TEXT,                                 -- path below the data folder
            snapshot_bytes INTEGER NOT NULL
        )
        """,
        "CREATE INDEX events_by_wall_at ON events (wall_at)",
        "CREATE INDEX events_with_snapshot ON events (event_id, snapshot_bytes) WHERE snapshot IS NOT NULL",
    ),
    # An event may be about the camera itself: it has no object, and says what the trouble is.
    (
        "ALTER TABLE events RENAME TO events_before",
        """
        CREATE TABLE events (
            event_id       TEXT PRIMARY KEY,                     -- UUIDv7, ascends in the order of writing
            run_id         TEXT NOT NULL REFERENCES runs (run_id),
            kind           TEXT NOT NULL,
            camera         TEXT NOT NULL,
            label          TEXT,                                 -- NULL of an event that is not about an object; so are
            confidence     REAL,                                 -- confidence, track, box, entry and exit
            wall_at        REAL NOT NULL,                        -- seconds since 1970-01-01 UTC
            at             REAL NOT NULL,                        -- monotonic seconds within the run's boot
            started_at     REAL NOT NULL,
            duration_s     REAL NOT NULL,
            track_id       INTEGER,
            left_px        REAL,
            top_px         REAL,
            width_px       REAL,
            height_px      REAL,
            entry_x        REAL,
            entry_y        REAL,
            exit_x         REAL,
            exit_y         REAL,
            reason         TEXT,
            detail         TEXT,                                 -- the reason in a sentence
            snapshot       TEXT,                                 -- path below the data folder
            snapshot_bytes INTEGER NOT NULL,
            CHECK (label IS NULL OR (
                confidence IS NOT NULL AND track_id IS NOT NULL AND left_px IS NOT NULL AND top_px IS NOT NULL
                AND width_px IS NOT NULL AND height_px IS NOT NULL AND entry_x IS NOT NULL AND entry_y IS NOT NULL
            ))
        )
        """,
        """
        INSERT INTO events
        SELECT event_id, run_id, kind, camera, label, confidence, wall_at, at, started_at, duration_s, track_id,
               left_px, top_px, width_px, height_px, entry_x, entry_y, exit_x, exit_y, reason, NULL, snapshot,
               snapshot_bytes
        FROM events_before ORDER BY rowid
        """,
        "DROP TABLE events_before",
        "CREATE INDEX events_by_wall_at ON events (wall_at)",
        "CREATE INDEX events_with_snapshot ON events (event_id, snapshot_bytes) WHERE snapshot IS NOT NULL",
    ),
)


def version_of(connection: sqlite3.Connection) -> int:
    """Return how many steps the file has gone through; 0 for an empty one."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(connection: sqlite3.Connection, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Bring an autocommit connection's file up to date, each step wholly or not at all. Raises sqlite3.Error."""
    for version in range(version_of(connection), len(migrations)):
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement in migrations[version]:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {version + 1}")
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
