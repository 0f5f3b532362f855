"""Those structures of linux/videodev2.h that hold pointers, and so differ with the size of a word.

A buffer's time is always told in 64-bit seconds: 32-bit kernels do so since 5.6, by a request of its own number.
"""

from __future__ import annotations

import ctypes
from ctypes import Structure, Union, c_int32, c_int64, c_uint8, c_uint32
from typing import Any, NamedTuple

from edged.capture.v4l2.structures import PixFormat, PixFormatMplane


class Timestamp(Structure):
    """struct timeval, as the kernel gives it to programs for which a second has 64 bits."""

    _fields_ = (("tv_sec", c_int64), ("tv_usec", c_int64))


class Timecode(Structure):
    """struct v4l2_timecode."""

    _fields_ = (
        ("type", c_uint32),
        ("flags", c_uint32),
        ("frames", c_uint8),
        ("seconds", c_uint8),
        ("minutes", c_uint8),
        ("hours", c_uint8),
        ("userbits", c_uint8 * 4),
    )


class WordLayouts(NamedTuple):
    """The structures that hold pointers."""

    format: type[Structure]
    plane: type[Structure]
    buffer: type[Structure]


def layouts_for(word: Any) -> WordLayouts:
    """Lay out the structures that hold pointers for a machine whose pointers are as large as the ctypes type `word`.

    The parts of unions that hold pointers which nothing here uses are stood in for by a bare `word`, so that size and
    alignment are right.
    """

    class Formats(Union):
        _fields_ = (
            ("pix", PixFormat),
            ("pix_mp", PixFormatMplane),
            ("raw_data", c_uint8 * 200),
            ("_pointers", word),
        )

    class Format(Structure):
        _anonymous_ = ("fmt",)
        _fields_ = (("type", c_uint32), ("fmt", Formats))

    class PlaneMemory(Union):
        _fields_ = (("mem_offset", c_uint32), ("userptr", word))

    class Plane(Structure):
        _anonymous_ = ("m",)
        _fields_ = (
            ("bytesused", c_uint32),
            ("length", c_uint32),
            ("m", PlaneMemory),
            ("data_offset", c_uint32),
            ("reserved", c_uint32 * 11),
        )

    class BufferMemory(Union):
        _fields_ = (("offset", c_uint32), ("planes", word))

    class Buffer(Structure):
        _anonymous_ = ("timestamp", "m")
        _fields_ = (
            ("index", c_uint32),
            ("type", c_uint32),
            ("bytesused", c_uint32),
            ("flags", c_uint32),
            ("field", c_uint32),
            ("timestamp", Timestamp),
            ("timecode", Timecode),
            ("sequence", c_uint32),
            ("memory", c_uint32),
            ("m", BufferMemory),
            ("length", c_uint32),
            ("reserved2", c_uint32),
            ("request_fd", c_int32),
        )

    return WordLayouts(Format, Plane, Buffer)


Format, Plane, Buffer = layouts_for(ctypes.c_size_t)
