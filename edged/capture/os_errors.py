"""The operating system's refusals, in the words of edged.errors."""

from __future__ import annotations

import errno

from edged.errors import SourceDenied, SourceError, SourceLost, SourceNotFound, SourceUnreadable


def source_error(error: OSError, where: str) -> SourceError:
    """Translate what went wrong with the file or device `where`."""
    reason = error.strerror or str(error)
    match error.errno:
        case errno.ENOENT | errno.ENOTDIR | errno.ENAMETOOLONG | errno.ELOOP | errno.ENXIO:
            return SourceNotFound(
                f"there is nothing at {where}: {reason}",
                hint="Check the spelling, and that the disk or camera is there.",
            )
        case errno.EACCES | errno.EPERM:
            return SourceDenied(
                f"{where} may not be opened by this user: {reason}",
                hint="Give this user the right to read it (for a camera: add the user to the group `video`).",
            )
        case errno.ENODEV:
            return SourceLost(
                f"{where} went away: {reason}",
                hint="Check the cable and the power of the camera, then plug it in again.",
            )
        case _:
            return SourceUnreadable(
                f"{where} cannot be read: {reason}", hint="Check the disk, or copy the file again from where it came."
            )
