"""Replaces small files as a whole, also on a disk that is full.

A draft's path is a string, for it is made every second: pathlib would put its name among Python's interned strings and
take it out again, and the gaps that this leaves make that table double some day.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path

from edged.disk import sync_folder
from edged.errors import is_full


def replace_file(path: Path, content: bytes, *, to_disk: bool) -> None:
    """Put `content` in the place of the file at `path`: a reader gets the old or the new one. Raises OSError.

    Only on a full disk is it overwritten in place. `to_disk` makes sure that it survives a cut of power.
    """
    draft = f"{path}.tmp"
    try:
        with open(draft, "wb") as file:
            file.write(content)
            if to_disk:
                file.flush()
                os.fsync(file.fileno())
        os.replace(draft, path)
    except OSError as error:
        if not is_full(error):
            raise
        with suppress(FileNotFoundError):
            os.unlink(draft)
        if not path.exists():
            raise
        _overwrite(path, content)
    if to_disk:
        sync_folder(path.parent)


def _overwrite(path: Path, content: bytes) -> None:
    """Write into the blocks that the file has: a full disk has no others. Raises OSError when they are too few."""
    with path.open("r+b", buffering=0) as file:
        found = os.fstat(file.fileno())
        if len(content) > max(found.st_size, found.st_blocks * 512):  # stat(2): these blocks have 512 bytes everywhere
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        file.write(content.ljust(found.st_size))  # in one piece: what was longer would stick out behind
