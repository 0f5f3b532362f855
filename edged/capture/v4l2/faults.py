"""A driver's refusals, in the words of edged.errors."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from pathlib import Path

from edged.capture.os_errors import source_error
from edged.capture.v4l2.holders import who_holds
from edged.errors import SourceBroken, SourceBusy, SourceError, SourceLost, SourceUnreadable

_UNKNOWN = frozenset({errno.EINVAL, errno.ENOTTY, errno.ENODATA})
_GONE = frozenset({errno.ENODEV, errno.ENXIO})
_BROKEN = frozenset(  # a wedged camera on USB gives all but the first (Documentation/driver-api/usb/error-codes.rst)
    {
        errno.EIO,
        errno.EPIPE,
        errno.EPROTO,
        errno.EILSEQ,
        errno.ETIME,
        errno.ETIMEDOUT,
        errno.EREMOTEIO,
        errno.ESHUTDOWN,
    }
)
_HINT_LOST = "Check the cable and the power of the camera. The daemon opens it again by itself once it is back."
_HINT_BROKEN = "The daemon opens it again by itself. If this repeats: see `dmesg`, and plug the camera in again."


def refusal(error: OSError, path: Path, doing: str) -> SourceError:
    """Say why a camera cannot be started; `doing` ends the sentence "its driver refused to …"."""
    reason = error.strerror or str(error)
    match error.errno:
        case errno.EBUSY:
            return busy(path)
        case errno.ENOSPC:
            return SourceUnreadable(
                f"{path} cannot start: the USB bus has no room for its pictures",
                hint="Choose a smaller size, a lower rate or the format MJPG, or plug it into a port of another bus.",
            )
        case errno.ENOMEM:
            return SourceUnreadable(
                f"{path} cannot start: there is no memory for its buffers", hint="Choose a smaller size."
            )
        case errno.ENOLINK:
            return SourceUnreadable(
                f"{path} cannot start: its sensor is not linked to it",
                hint="A camera on a CSI ribbon needs libcamera or a prepared media pipeline in front of it.",
            )
        case _ if is_fault(error):
            return fault(error, path)
        case _:
            return SourceUnreadable(f"{path} cannot start: its driver refused to {doing}: {reason}", hint=_HINT_BROKEN)


def is_unknown(error: OSError) -> bool:
    """Tell a request that the driver does not know, or an entry behind the end of its list."""
    return error.errno in _UNKNOWN


def is_gone(error: OSError) -> bool:
    """Tell a device that was unplugged."""
    return error.errno in _GONE


def is_fault(error: OSError) -> bool:
    """Tell a device that is gone or broken from one that is asked for what it does not have."""
    return error.errno in _GONE | _BROKEN


def fault(error: OSError, path: Path) -> SourceError:
    """Say that a camera is gone or broken."""
    if error.errno in _GONE:
        return SourceLost(f"{path} was unplugged", hint=_HINT_LOST)
    return SourceBroken(f"{path} is there, but its driver gave up: {error.strerror or error}", hint=_HINT_BROKEN)


def undescribed(error: OSError, path: Path, names: Sequence[str]) -> SourceError:
    """Say that controls are wanted which may be among those that a camera cannot describe."""
    return SourceBroken(
        f"{path} cannot describe all its controls ({error.strerror or error}), and does not tell of {', '.join(names)}",
        hint="The daemon opens it again. If this repeats, take them out of its controls in the configuration.",
    )


def silent_fault(path: Path) -> SourceError:
    """Say that a stream failed without a reason."""
    return SourceBroken(f"{path} is there, but its driver reports an error without a name", hint=_HINT_BROKEN)


def nothing_but_damage(path: Path, count: int) -> SourceError:
    """Say that a stream goes on and shows nothing."""
    return SourceBroken(
        f"{path} has given {count} damaged frames on end",
        hint="Check the cable and the power of the camera: too little of either damages frames.",
    )


def cannot_open(error: OSError, path: Path) -> SourceError:
    """Say why a device cannot be opened."""
    if error.errno == errno.EBUSY:
        return busy(path)
    return fault(error, path) if error.errno in _BROKEN else source_error(error, str(path))


def busy(path: Path) -> SourceBusy:
    """Say who has the camera."""
    holders = ", ".join(f"{command} (process {pid})" for pid, command in who_holds(path))
    if holders:
        return SourceBusy(f"{path} is in use by {holders}", hint="End that program, or let it release the camera.")
    return SourceBusy(
        f"{path} is in use by another program",
        hint=f"Find that program with `sudo fuser -v {path}` and end it.",
    )
