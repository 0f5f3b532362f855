"""Asks a disk whether it still answers, without writing to it."""

from __future__ import annotations

import mmap
import os
from contextlib import suppress
from pathlib import Path


def ask_disk(path: Path) -> None:
    """Read the beginning of a file from the disk itself, past the system's cache; waits as long as the disk does.

    Where there is no such file, or its file system knows only the cache (tmpfs), nothing is asked: see O_DIRECT of
    open(2), by which memory and length are whole pages.
    """
    with suppress(OSError), mmap.mmap(-1, mmap.PAGESIZE) as page:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECT | os.O_NONBLOCK)
        try:
            os.preadv(descriptor, [page], 0)
        finally:
            os.close(descriptor)
