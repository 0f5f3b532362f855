"""The kernel's virtual camera, and what it can be told to do wrong.

The numbers are those of drivers/media/test-drivers/vivid/vivid-ctrls.c and include/uapi/linux/videodev2.h.
"""

from __future__ import annotations

import fcntl
import os
import struct
from enum import IntEnum
from pathlib import Path

_VIDIOC_S_CTRL = 0xC008561C  # _IOWR('V', 28, struct v4l2_control)
_DRIVER = Path("/sys/bus/platform/drivers/vivid")
_DEVICE = "vivid.0"


class Control(IntEnum):
    """Controls that make vivid fail; all but the first are buttons, and work once."""

    PERCENTAGE_OF_DROPPED_BUFFERS = 0x00F0F040
    DISCONNECT = 0x00F0F041
    BUFFER_ERROR = 0x00F0F042
    REQBUFS_ERROR = 0x00F0F043
    QBUF_ERROR = 0x00F0F044
    STREAMON_ERROR = 0x00F0F045
    FATAL_STREAMING_ERROR = 0x00F0F046


class Vivid:
    """One vivid camera, told to fail beside whoever reads it."""

    def __init__(self, node: Path) -> None:
        self._node = node

    def set(self, control: Control, value: int = 1) -> None:
        """Set a control, or press it."""
        # Opened anew each time: a node that is kept open would keep an unplugged camera's name taken.
        node = os.open(self._node, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            fcntl.ioctl(node, _VIDIOC_S_CTRL, struct.pack("Ii", control, value))
        finally:
            os.close(node)

    def unplug(self) -> None:
        """Take the device from its driver: its node goes, as when a cable is pulled."""
        (_DRIVER / "unbind").write_text(_DEVICE)

    def plug(self) -> None:
        """Give it back: a node appears again."""
        (_DRIVER / "bind").write_text(_DEVICE)
