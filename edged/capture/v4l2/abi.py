"""What the kernel's header linux/videodev2.h says, as far as a camera is read: requests, flags and other numbers.

The names are the header's own, without V4L2_ and VIDIOC_, so that its documentation can be looked up. The structures
that the requests take are in structures.py.
"""

from __future__ import annotations

import ctypes
from ctypes import c_int32
from typing import Any

from edged.capture.v4l2.structures import (
    Buffer,
    Capability,
    ControlValue,
    Format,
    FormatDescription,
    FrameInterval,
    FrameSize,
    QueryControl,
    QueryMenu,
    RequestBuffers,
    StreamParm,
)

_WRITE, _READ = 1, 2  # asm-generic/ioctl.h: from the program's side


def request_number(direction: int, number: int, argument: Any) -> int:
    """Compose an ioctl request of the kind 'V' (asm-generic/ioctl.h: x86, Arm and RISC-V)."""
    return direction << 30 | ctypes.sizeof(argument) << 16 | ord("V") << 8 | number


QUERYCAP = request_number(_READ, 0, Capability)
ENUM_FMT = request_number(_READ | _WRITE, 2, FormatDescription)
G_FMT = request_number(_READ | _WRITE, 4, Format)
S_FMT = request_number(_READ | _WRITE, 5, Format)
REQBUFS = request_number(_READ | _WRITE, 8, RequestBuffers)
QUERYBUF = request_number(_READ | _WRITE, 9, Buffer)
QBUF = request_number(_READ | _WRITE, 15, Buffer)
DQBUF = request_number(_READ | _WRITE, 17, Buffer)
STREAMON = request_number(_WRITE, 18, c_int32)
STREAMOFF = request_number(_WRITE, 19, c_int32)
G_PARM = request_number(_READ | _WRITE, 21, StreamParm)
S_PARM = request_number(_READ | _WRITE, 22, StreamParm)
G_CTRL = request_number(_READ | _WRITE, 27, ControlValue)
S_CTRL = request_number(_READ | _WRITE, 28, ControlValue)
QUERYCTRL = request_number(_READ | _WRITE, 36, QueryControl)
QUERYMENU = request_number(_READ | _WRITE, 37, QueryMenu)
ENUM_FRAMESIZES = request_number(_READ | _WRITE, 74, FrameSize)
ENUM_FRAMEINTERVALS = request_number(_READ | _WRITE, 75, FrameInterval)

CAP_VIDEO_CAPTURE = 0x1
CAP_VIDEO_OUTPUT = 0x2
CAP_VIDEO_CAPTURE_MPLANE = 0x1000
CAP_VIDEO_OUTPUT_MPLANE = 0x2000
CAP_VIDEO_M2M_MPLANE = 0x4000
CAP_VIDEO_M2M = 0x8000
CAP_META_CAPTURE = 0x800000
CAP_STREAMING = 0x4000000
CAP_DEVICE_CAPS = 0x80000000

BUF_TYPE_VIDEO_CAPTURE = 1
BUF_TYPE_VIDEO_CAPTURE_MPLANE = 9
MEMORY_MMAP = 1
FIELD_ANY = 0
FIELD_NONE = 1
PIX_FMT_PRIV_MAGIC = 0xFEEDCAFE
CAP_TIMEPERFRAME = 0x1000

FRMSIZE_TYPE_DISCRETE = 1
FRMIVAL_TYPE_DISCRETE = 1

BUF_FLAG_ERROR = 0x40
BUF_FLAG_TIMESTAMP_MASK = 0xE000
BUF_FLAG_TIMESTAMP_MONOTONIC = 0x2000

COLORSPACE_REC709 = 3
COLORSPACE_JPEG = 7
COLORSPACE_DCI_P3 = 12
YCBCR_ENC_DEFAULT = 0
YCBCR_ENC_709 = 2
YCBCR_ENC_XV709 = 4
QUANTIZATION_DEFAULT = 0
QUANTIZATION_FULL_RANGE = 1

CTRL_TYPE_INTEGER = 1
CTRL_TYPE_BOOLEAN = 2
CTRL_TYPE_MENU = 3
CTRL_TYPE_BUTTON = 4
CTRL_TYPE_CTRL_CLASS = 6
CTRL_TYPE_BITMASK = 8
CTRL_TYPE_INTEGER_MENU = 9

CTRL_CLASS_USER = 0x980000
CTRL_FLAG_DISABLED = 0x1
CTRL_FLAG_GRABBED = 0x2
CTRL_FLAG_READ_ONLY = 0x4
CTRL_FLAG_INACTIVE = 0x10
CTRL_FLAG_NEXT_CTRL = 0x80000000


def fourcc(code: int) -> str:
    """Spell a pixel format's number as its four letters."""
    return "".join(chr(code >> shift & 0x7F) for shift in (0, 8, 16, 24)).rstrip()


def fourcc_code(letters: str) -> int:
    """Turn four letters (three and a space are four too) into the number of a pixel format."""
    return int.from_bytes(letters.ljust(4).encode("ascii"), "little")
