"""Whose the files are that are kept for the next start.

`sudo edged doctor` loads a model as root, and what it keeps of it the daemon, another user, is to replace one day.
"""

from __future__ import annotations

import os
from pathlib import Path


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it, where there is none. Raises OSError."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        give_to_owner_of_folder(folder)


def give_to_owner_of_folder(path: Path) -> None:
    """Give what root has made to the owner of the folder that it lies in. Raises OSError."""
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.chown(path, owner.st_uid, owner.st_gid)
