"""Who has a device open."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def who_holds(path: Path, *, proc: Path = Path("/proc")) -> list[tuple[int, str]]:
    """Name the other processes that have the device at `path` open: (pid, command), in the order of their pids.

    Processes of other users are seen by root only, so the list may be empty though somebody is there.
    """
    try:
        device = path.stat()
    except OSError:
        return []
    if not stat.S_ISCHR(device.st_mode):
        return []
    try:
        pids = sorted(int(entry.name) for entry in proc.iterdir() if entry.name.isdecimal())
    except OSError:  # not every container has a /proc, and not every service may look into it
        return []
    return [
        (pid, _command(proc / str(pid)))
        for pid in pids
        if pid != os.getpid() and _has_open(proc / str(pid), device.st_rdev)
    ]


def _has_open(process: Path, device: int) -> bool:
    try:
        with os.scandir(process / "fd") as files:
            return any(_device_of(file) == device for file in files)
    except OSError:  # another user's, or ended meanwhile
        return False


def _device_of(file: os.DirEntry[str]) -> int | None:
    try:
        status = file.stat()  # follows to the open file itself, a deleted one too
    except OSError:
        return None
    return status.st_rdev if stat.S_ISCHR(status.st_mode) else None


def _command(process: Path) -> str:
    try:
        return (process / "comm").read_text(errors="replace").strip()
    except OSError:
        return "a program that ended meanwhile"
