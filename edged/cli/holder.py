"""Which process works on a data folder, whatever its status file says."""

from __future__ import annotations

import fcntl
from pathlib import Path

from edged.disk import open_at_once
from edged.health.status_file import process_is_alive
from edged.store.lock import LOCK_NAME


def holder(folder: Path) -> int | None:
    """The process of the daemon that works on a data folder; None when there is none, or none that can be seen.

    The lock is asked for only while its process lives, so that the question cannot get in the way of a daemon's start.
    """
    try:
        with open(folder / LOCK_NAME, encoding="ascii", opener=open_at_once) as lock:
            pid = int(lock.read(32))
            if not process_is_alive(pid):
                return None
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return pid
    except (OSError, ValueError):
        return None
    return None  # another process bears the number of one that is gone
