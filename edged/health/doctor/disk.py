"""The disk of the data folder: room, and how long a commit takes."""

from __future__ import annotations

import os
import shlex
import shutil
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

from edged.clock import Clock
from edged.domain.checkup import Finding, fail, ok, unknown, warn
from edged.health.machine import DISK_LOW_BYTES

_COMMIT_BYTES = 16_384  # about what a batch of events writes
_COMMITS = 10
_SLOW_MS = 200.0
_AS_ROOT = "sudo edged doctor"


def disk(folder: Path, *, clock: Clock) -> Iterator[Finding]:
    """Look at the folder's free space, and commit a few small writes in it."""
    try:
        free_bytes = shutil.disk_usage(folder).free
    except PermissionError:
        yield unknown("disk", f"this user may not look into {folder}", _AS_ROOT)
        return
    except OSError as error:
        yield fail(
            "disk",
            f"{folder}: {error.strerror}",
            f"sudo install -d -o edged -g edged -m 750 {shlex.quote(str(folder))}",
        )
        return
    text = f"{free_bytes / 1e9:.1f} GB free in {folder}"
    if free_bytes < DISK_LOW_BYTES:
        yield warn("disk", text, "Make room, or lower [store] retention_days and max_snapshots_mb.")
    else:
        yield ok("disk", text)
    yield _commits(folder, clock)


def _commits(folder: Path, clock: Clock) -> Finding:
    try:
        took_ms = statistics.median(_commit_ms(folder, clock) for _ in range(_COMMITS))
    except PermissionError:
        return unknown("disk speed", f"this user may not write to {folder}", _AS_ROOT)
    except OSError as error:
        return fail("disk speed", f"{folder} cannot be written: {error.strerror}", "Look at `dmesg` and `mount`.")
    text = f"a small commit takes {took_ms:.1f} ms"
    if took_ms > _SLOW_MS:
        return warn("disk speed", text, "Use a card of class A1 or better, or a USB disk; this one may be worn out.")
    return ok("disk speed", text)


def _commit_ms(folder: Path, clock: Clock) -> float:
    with tempfile.TemporaryFile(dir=folder) as file:
        began_at = clock.monotonic()
        file.write(os.urandom(_COMMIT_BYTES))
        file.flush()
        os.fsync(file.fileno())
        return 1000 * (clock.monotonic() - began_at)
