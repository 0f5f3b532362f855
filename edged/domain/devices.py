"""What a person writes for a camera."""

from __future__ import annotations

import os.path
import re

_FILES = "/dev/shm/"  # a disk in memory: what lies there are files


def device_path(source: str) -> str | None:
    """Return the path of the device that `source` names; None where it names a file or a folder.

    A device is whatever lies below /dev/, a link made by a udev rule too, and a bare number N is /dev/videoN. The name
    alone decides: the device itself may be unplugged.
    """
    if re.fullmatch("[0-9]{1,3}", source):
        return f"/dev/video{int(source)}"
    path = os.path.normpath(source)
    return path if path.startswith("/dev/") and not path.startswith(_FILES) else None
