"""Wakes a wedged USB camera as pulling its plug would."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable
from pathlib import Path

from edged.capture.devices.nodes import VideoNode
from edged.errors import SourceDenied, SourceError, SourceLost, SourceNotFound, SourceUnreadable

USBDEVFS_RESET = ord("U") << 8 | 20
"""linux/usbdevice_fs.h: _IO('U', 20), the same on x86, Arm and RISC-V."""

Ioctl = Callable[[int, int], object]


def reset_usb(node: VideoNode, *, root: Path = Path("/"), ioctl: Ioctl = fcntl.ioctl) -> None:
    """Reset the USB device that `node` belongs to; its nodes go away and come back, often under other numbers.

    Close the camera first. All functions of the device are reset, a microphone too. `ioctl` is the seam where a test
    puts its own. Raises SourceUnreadable for a camera that is not on USB, and for a device or driver that does not take
    it; SourceDenied, SourceNotFound and SourceLost.
    """
    if node.usb is None:
        raise SourceUnreadable(
            f"{node.path} cannot be reset: it is no USB camera ({node.where})",
            hint="Start its driver or the machine again.",
        )
    device = root / f"dev/bus/usb/{node.usb.bus_number:03d}/{node.usb.device_number:03d}"
    try:
        file = os.open(device, os.O_WRONLY | os.O_CLOEXEC)
        try:
            ioctl(file, USBDEVFS_RESET)
        finally:
            os.close(file)
    except OSError as error:
        raise _refused(error, node, device) from error


def _refused(error: OSError, node: VideoNode, device: Path) -> SourceError:
    reason = error.strerror or str(error)
    match error.errno:
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return SourceDenied(
                f"{node.path} cannot be reset: this user may not write {device}",
                hint=(
                    "Let it by a udev rule for this camera: "
                    f'SUBSYSTEM=="usb", ATTR{{idVendor}}=="{node.usb.vendor if node.usb else ""}", GROUP="video"'
                ),
            )
        case errno.ENOENT:
            return SourceNotFound(
                f"{node.path} cannot be reset: there is no {device}",
                hint="It was unplugged, or this container was not given /dev/bus/usb.",
            )
        case errno.ENODEV:
            return SourceLost(
                f"{node.path} went away before it could be reset", hint="Check its cable and its power, or its hub."
            )
        case _:
            return SourceUnreadable(
                f"{node.path} cannot be reset by {device}: {reason}", hint="Pull its plug, or switch its hub's power."
            )
