"""Pictures of events, as files below the data folder.

A picture is complete and on the disk before the row that names it is, so a row never names half a picture. Functions
raise OSError; the store translates it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path


def write_snapshots(folder: Path, pictures: Mapping[str, bytes]) -> None:
    """Write JPEGs by their path below `folder`, and wait until the disk has them."""
    changed: set[Path] = set()
    for name, jpeg in pictures.items():
        path = folder / name
        changed |= _make_folders(path.parent, folder)
        partial = path.with_suffix(".tmp")
        try:
            with partial.open("wb") as file:
                file.write(jpeg)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        except OSError:
            partial.unlink(missing_ok=True)
            raise
        changed.add(path.parent)
    for parent in changed:
        sync_folder(parent)


def delete_snapshots(folder: Path, names: Iterable[str]) -> None:
    """Delete pictures by their path below `folder`; those that are gone already do not matter."""
    for name in names:
        (folder / name).unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Wait until the disk has the names of the files in a folder."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _make_folders(wanted: Path, root: Path) -> set[Path]:
    """Make `wanted` below `root`; return the folders that got a new name in them."""
    if wanted.is_dir():
        return set()
    changed = _make_folders(wanted.parent, root) if wanted.parent != root else set()
    wanted.mkdir(exist_ok=True)
    return changed | {wanted.parent}
