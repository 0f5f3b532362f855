"""Waiting until the disk has what was written: what a cut of power leaves then is whole."""

from __future__ import annotations

import os
from pathlib import Path


def sync_file(path: Path) -> None:
    """Wait until the disk has what is in a file. Raises OSError."""
    _sync(os.open(path, os.O_RDONLY))


def sync_folder(folder: Path | str) -> None:
    """Wait until the disk has the names of the files in a folder. Raises OSError."""
    _sync(os.open(folder, os.O_RDONLY | os.O_DIRECTORY))


def _sync(descriptor: int) -> None:
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
