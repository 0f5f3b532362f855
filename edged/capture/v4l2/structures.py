"""The structures of the kernel's header linux/videodev2.h, as far as a camera is read.

Fields bear the header's own names. Numbers are in the byte order of the machine. Pointers have 64 bits: ncnn and OpenCV
come for no smaller machine. What of a union holds pointers that nothing here uses is stood in for by a bare one, so
that size and alignment are right.
"""

from __future__ import annotations

from ctypes import Structure, Union, c_char, c_int32, c_int64, c_uint8, c_uint16, c_uint32, c_uint64

_POINTER = c_uint64


class Capability(Structure):
    """struct v4l2_capability: who drives the device, and what it can do."""

    _fields_ = (
        ("driver", c_char * 16),
        ("card", c_char * 32),
        ("bus_info", c_char * 32),
        ("version", c_uint32),
        ("capabilities", c_uint32),
        ("device_caps", c_uint32),
        ("reserved", c_uint32 * 3),
    )


class FormatDescription(Structure):
    """struct v4l2_fmtdesc: one pixel format."""

    _fields_ = (
        ("index", c_uint32),
        ("type", c_uint32),
        ("flags", c_uint32),
        ("description", c_char * 32),
        ("pixelformat", c_uint32),
        ("mbus_code", c_uint32),
        ("reserved", c_uint32 * 3),
    )


class Fraction(Structure):
    """struct v4l2_fract."""

    _fields_ = (("numerator", c_uint32), ("denominator", c_uint32))


class SizeRange(Structure):
    """struct v4l2_frmsize_stepwise; a discrete size is its first two numbers."""

    _fields_ = (
        ("min_width", c_uint32),
        ("max_width", c_uint32),
        ("step_width", c_uint32),
        ("min_height", c_uint32),
        ("max_height", c_uint32),
        ("step_height", c_uint32),
    )


class DiscreteSize(Structure):
    """struct v4l2_frmsize_discrete."""

    _fields_ = (("width", c_uint32), ("height", c_uint32))


class _Sizes(Union):
    _fields_ = (("discrete", DiscreteSize), ("stepwise", SizeRange))


class FrameSize(Structure):
    """struct v4l2_frmsizeenum: one size of a format, or a range of sizes."""

    _anonymous_ = ("sizes",)
    _fields_ = (
        ("index", c_uint32),
        ("pixel_format", c_uint32),
        ("type", c_uint32),
        ("sizes", _Sizes),
        ("reserved", c_uint32 * 2),
    )


class IntervalRange(Structure):
    """struct v4l2_frmival_stepwise."""

    _fields_ = (("min", Fraction), ("max", Fraction), ("step", Fraction))


class _Intervals(Union):
    _fields_ = (("discrete", Fraction), ("stepwise", IntervalRange))


class FrameInterval(Structure):
    """struct v4l2_frmivalenum: one time from frame to frame, in seconds, or a range."""

    _anonymous_ = ("intervals",)
    _fields_ = (
        ("index", c_uint32),
        ("pixel_format", c_uint32),
        ("width", c_uint32),
        ("height", c_uint32),
        ("type", c_uint32),
        ("intervals", _Intervals),
        ("reserved", c_uint32 * 2),
    )


class PixFormat(Structure):
    """struct v4l2_pix_format: a picture in one piece of memory."""

    _fields_ = (
        ("width", c_uint32),
        ("height", c_uint32),
        ("pixelformat", c_uint32),
        ("field", c_uint32),
        ("bytesperline", c_uint32),
        ("sizeimage", c_uint32),
        ("colorspace", c_uint32),
        ("priv", c_uint32),
        ("flags", c_uint32),
        ("ycbcr_enc", c_uint32),
        ("quantization", c_uint32),
        ("xfer_func", c_uint32),
    )


class PlaneFormat(Structure):
    """struct v4l2_plane_pix_format."""

    _fields_ = (("sizeimage", c_uint32), ("bytesperline", c_uint32), ("reserved", c_uint16 * 6))


MAX_PLANES = 8


class PixFormatMplane(Structure):
    """struct v4l2_pix_format_mplane: a picture in several pieces of memory."""

    _fields_ = (
        ("width", c_uint32),
        ("height", c_uint32),
        ("pixelformat", c_uint32),
        ("field", c_uint32),
        ("colorspace", c_uint32),
        ("plane_fmt", PlaneFormat * MAX_PLANES),
        ("num_planes", c_uint8),
        ("flags", c_uint8),
        ("ycbcr_enc", c_uint8),
        ("quantization", c_uint8),
        ("xfer_func", c_uint8),
        ("reserved", c_uint8 * 7),
    )


class _Formats(Union):
    _fields_ = (("pix", PixFormat), ("pix_mp", PixFormatMplane), ("raw_data", c_uint8 * 200), ("_pointers", _POINTER))


class Format(Structure):
    """struct v4l2_format: a picture format of a single or multi-planar type."""

    _anonymous_ = ("fmt",)
    _fields_ = (("type", c_uint32), ("fmt", _Formats))


class CaptureParm(Structure):
    """struct v4l2_captureparm: the rate."""

    _fields_ = (
        ("capability", c_uint32),
        ("capturemode", c_uint32),
        ("timeperframe", Fraction),
        ("extendedmode", c_uint32),
        ("readbuffers", c_uint32),
        ("reserved", c_uint32 * 4),
    )


class _Parms(Union):
    _fields_ = (("capture", CaptureParm), ("raw_data", c_uint8 * 200))


class StreamParm(Structure):
    """struct v4l2_streamparm."""

    _anonymous_ = ("parm",)
    _fields_ = (("type", c_uint32), ("parm", _Parms))


class RequestBuffers(Structure):
    """struct v4l2_requestbuffers."""

    _fields_ = (
        ("count", c_uint32),
        ("type", c_uint32),
        ("memory", c_uint32),
        ("capabilities", c_uint32),
        ("flags", c_uint8),
        ("reserved", c_uint8 * 3),
    )


class Timestamp(Structure):
    """struct timeval."""

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


class _PlaneMemory(Union):
    _fields_ = (("mem_offset", c_uint32), ("userptr", _POINTER))


class Plane(Structure):
    """struct v4l2_plane: one piece of memory of a multi-planar buffer."""

    _anonymous_ = ("m",)
    _fields_ = (
        ("bytesused", c_uint32),
        ("length", c_uint32),
        ("m", _PlaneMemory),
        ("data_offset", c_uint32),
        ("reserved", c_uint32 * 11),
    )


class _BufferMemory(Union):
    _fields_ = (("offset", c_uint32), ("planes", _POINTER))


class Buffer(Structure):
    """struct v4l2_buffer; `planes` is the address of an array of Plane where the type is multi-planar."""

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
        ("m", _BufferMemory),
        ("length", c_uint32),
        ("reserved2", c_uint32),
        ("request_fd", c_int32),
    )


class QueryControl(Structure):
    """struct v4l2_queryctrl: one control."""

    _fields_ = (
        ("id", c_uint32),
        ("type", c_uint32),
        ("name", c_char * 32),
        ("minimum", c_int32),
        ("maximum", c_int32),
        ("step", c_int32),
        ("default_value", c_int32),
        ("flags", c_uint32),
        ("reserved", c_uint32 * 2),
    )


class QueryMenu(Structure):
    """struct v4l2_querymenu.

    `entry` is a name that ends in NUL, or its first eight bytes are a number: the control's type tells.
    """

    _fields_ = (("id", c_uint32), ("index", c_uint32), ("entry", c_uint8 * 32), ("reserved", c_uint32))


class ControlValue(Structure):
    """struct v4l2_control."""

    _fields_ = (("id", c_uint32), ("value", c_int32))
