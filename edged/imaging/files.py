"""Files for people, and what to say when they cannot be written."""

from __future__ import annotations

import errno
import shlex
from pathlib import Path

from edged.errors import OutputNotWritable, is_full


def make_folder(path: Path) -> None:
    """Make the folder, and those above it, where there is none. Raises OutputNotWritable."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(path, error) from error


def write_file(path: Path, data: bytes) -> None:
    """Write the whole file. Raises OutputNotWritable."""
    try:
        path.write_bytes(data)
    except OSError as error:
        raise cannot_write(path, error) from error


def cannot_write(path: Path, error: OSError) -> OutputNotWritable:
    """Say why `path` could not be written, and what to do."""
    match error.errno:
        case errno.ENOENT | errno.ENOTDIR:
            hint = f"Make the folder first: mkdir -p {shlex.quote(str(path.parent))}"
        case _ if is_full(error):
            hint = "The disk is full: make room, or choose another place."
        case errno.EACCES | errno.EPERM | errno.EROFS:
            hint = "This user may not write there: choose another place."
        case _:
            hint = "Choose another place, and check the disk."
    return OutputNotWritable(f"{path} cannot be written: {error.strerror or error}", hint=hint)
