"""Files by the system's own calls: waiting until the disk has them, and reading what somebody may have exchanged."""

from __future__ import annotations

import os
from pathlib import Path


def sync_file(path: Path) -> None:
    """Wait until the disk has what is in a file. Raises OSError."""
    _sync(os.open(path, os.O_RDONLY))


def sync_folder(folder: Path | str) -> None:
    """Wait until the disk has the names of the files in a folder. Raises OSError."""
    _sync(os.open(folder, os.O_RDONLY | os.O_DIRECTORY))


def read_file(path: Path, at_most: int = -1) -> bytes:
    """What is in a file, or its first bytes; a named pipe that nobody writes to counts as empty. Raises OSError."""
    with open(path, "rb", opener=open_at_once) as file:
        return file.read(at_most)


def open_at_once(path: str | Path, flags: int) -> int:
    """As os.open(), but a named pipe that nobody writes to does not wait for somebody. Raises OSError."""
    descriptor = os.open(path, flags | os.O_NONBLOCK)
    os.set_blocking(descriptor, True)  # who does write, as in `edged run -c <(…)`, is waited for
    return descriptor


def _sync(descriptor: int) -> None:
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
