"""A camera's device file: what it is, what it offers, and what it agrees to."""

from __future__ import annotations

import ctypes
import errno
from collections.abc import Collection, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from edged.capture.v4l2 import abi, structures
from edged.capture.v4l2.faults import cannot_open, fault, is_gone, is_unknown, refusal
from edged.capture.v4l2.kernel import Kernel
from edged.capture.v4l2.mode import Mode, mode_of
from edged.capture.v4l2.offers import Offer, SizeRange
from edged.errors import SourceNotACamera, SourceUnreadable

_OUTPUTS = abi.CAP_VIDEO_OUTPUT | abi.CAP_VIDEO_OUTPUT_MPLANE
_CONVERTERS = abi.CAP_VIDEO_M2M | abi.CAP_VIDEO_M2M_MPLANE
_OTHER_NODE = "One camera often has several nodes: try the next lower /dev/videoN."
_PARTS_MAX = 1001  # of a rate as a fraction: 30000/1001 is the most odd of the usual ones
_FPS_MIN, _FPS_MAX = 1 / _PARTS_MAX, 1e6  # the interval of any rate between them can be told
_ENTRIES_MAX = 1000  # of any list: a driver that never ends it must not hang us


class Device:
    """An open camera. The methods raise SourceError where nothing else is said."""

    def __init__(self, path: Path, kernel: Kernel) -> None:
        """Open `path` and see that it is a camera."""
        self.path = path
        self._kernel = kernel
        try:
            self.fd = kernel.open(path)
        except OSError as error:
            raise cannot_open(error, path) from error
        try:
            capability = self._capability()
            caps = _own_capabilities(capability)
            _check_is_camera(caps, path)
        except BaseException:
            self.close()
            raise
        self.driver = capability.driver.decode(errors="replace")
        self.card = capability.card.decode(errors="replace")
        self.multiplanar = not caps & abi.CAP_VIDEO_CAPTURE
        self.buffer_type = abi.BUF_TYPE_VIDEO_CAPTURE_MPLANE if self.multiplanar else abi.BUF_TYPE_VIDEO_CAPTURE

    def close(self) -> None:
        """Close it. Once only."""
        self._kernel.close(self.fd)

    def ioctl(self, request: int, argument: Any) -> None:
        """Make a request. Raises OSError."""
        self._kernel.ioctl(self.fd, request, argument)

    def ask(self, request: int, argument: Any) -> bool:
        """Make a request; False when the driver does not know it, or knows no such entry."""
        try:
            self._kernel.ioctl(self.fd, request, argument)
        except OSError as error:
            if is_unknown(error):
                return False
            raise refusal(error, self.path, "tell what it offers") from error
        return True

    def attempt(self, request: int, argument: Any) -> OSError | None:
        """Make a request that may fail; return what the driver says against it. Raises SourceLost only."""
        try:
            self._kernel.ioctl(self.fd, request, argument)
        except OSError as error:
            if is_gone(error):
                raise fault(error, self.path) from error
            return error
        return None

    def fourccs(self) -> list[str]:
        """List the pixel formats in the driver's order."""
        descriptions = self._entries(abi.ENUM_FMT, structures.FormatDescription, type=self.buffer_type)
        return list(dict.fromkeys(abi.fourcc(entry.pixelformat) for entry in descriptions))

    def sizes(self, fourcc: str) -> list[SizeRange]:
        """List the sizes of a format; a fixed size is a range of one."""
        found = []
        for entry in self._entries(abi.ENUM_FRAMESIZES, structures.FrameSize, pixel_format=abi.fourcc_code(fourcc)):
            if entry.type == abi.FRMSIZE_TYPE_DISCRETE:
                found.append(SizeRange.fixed(entry.discrete.width, entry.discrete.height))
            else:
                found.append(SizeRange(*(getattr(entry.stepwise, name) for name, _ in structures.SizeRange._fields_)))
                break  # a range is the whole list
        return found

    def rates(self, fourcc: str, width_px: int, height_px: int) -> list[float]:
        """List the frame rates of a format and size in 1/s, fastest first; of a range both ends. [] if not told."""
        found: set[float] = set()
        where = {"pixel_format": abi.fourcc_code(fourcc), "width": width_px, "height": height_px}
        for entry in self._entries(abi.ENUM_FRAMEINTERVALS, structures.FrameInterval, **where):
            if entry.type == abi.FRMIVAL_TYPE_DISCRETE:
                found.add(_rate(entry.discrete))
            else:
                found |= {_rate(entry.stepwise.min), _rate(entry.stepwise.max)}
                break
        return sorted(found - {0.0}, reverse=True)

    def offers(self, width_px: int, height_px: int, fourccs: Collection[str]) -> list[Offer]:
        """List those of `fourccs` that there are, with sizes and their highest rates.

        Of a range of sizes only the one next to the given size is listed, and where the driver tells no sizes, the
        given one.
        """
        found = []
        for fourcc in self.fourccs():
            if fourcc not in fourccs:
                continue  # a test driver knows seventy formats, which are thousands of requests
            for size in self.sizes(fourcc) or [SizeRange.fixed(width_px, height_px)]:
                width, height = size.nearest(width_px, height_px)
                rates = self.rates(fourcc, width, height)
                found.append(Offer(fourcc, width, height, rates[0] if rates else None))
        return found

    def set_mode(self, fourcc: str | None, width_px: int, height_px: int, fps: float) -> Mode:
        """Ask for a mode, None for the driver's own format, and return what the driver made of it."""
        form = structures.Format(type=self.buffer_type)
        if fourcc is None:
            self._demand(abi.G_FMT, form, "tell its format")
        pix = form.pix_mp if self.multiplanar else form.pix
        pix.width, pix.height, pix.field = width_px, height_px, abi.FIELD_NONE
        if fourcc is not None:
            pix.pixelformat = abi.fourcc_code(fourcc)
        if not self.multiplanar:
            pix.priv = abi.PIX_FMT_PRIV_MAGIC  # asks for what follows it in the structure: how colours are to be read
        self._demand(abi.S_FMT, form, f"take the format {fourcc or abi.fourcc(pix.pixelformat)}")
        return mode_of(form, fps=self._set_rate(fps))

    def _set_rate(self, fps: float) -> float | None:
        interval = 1 / Fraction(min(max(fps, _FPS_MIN), _FPS_MAX)).limit_denominator(_PARTS_MAX)
        parm = structures.StreamParm(type=self.buffer_type)
        parm.capture.timeperframe.numerator = interval.numerator
        parm.capture.timeperframe.denominator = interval.denominator
        self.ask(abi.S_PARM, parm)
        answer = structures.StreamParm(type=self.buffer_type)
        return (_rate(answer.capture.timeperframe) or None) if self.ask(abi.G_PARM, answer) else None

    def _demand(self, request: int, argument: Any, doing: str) -> None:
        try:
            self._kernel.ioctl(self.fd, request, argument)
        except OSError as error:
            raise refusal(error, self.path, doing) from error

    def _capability(self) -> Any:
        capability = structures.Capability()
        try:
            self._kernel.ioctl(self.fd, abi.QUERYCAP, capability)
        except OSError as error:
            if error.errno in (errno.ENOTTY, errno.EINVAL):
                raise _no_camera(self.path) from error
            raise cannot_open(error, self.path) from error
        return capability

    def _entries(self, request: int, structure: type[ctypes.Structure], **where: int) -> Iterator[Any]:
        for index in range(_ENTRIES_MAX):
            entry = structure(index=index, **where)
            if not self.ask(request, entry):
                return
            yield entry


def _no_camera(path: Path) -> SourceNotACamera:
    if path.exists() and not path.is_char_device():
        return SourceNotACamera(f"{path} is not a device", hint="Cameras are /dev/video0, /dev/video1 and so on.")
    return SourceNotACamera(f"{path} is a device, but not a camera", hint="Try another /dev/videoN.")


def _own_capabilities(capability: Any) -> int:
    """Return what this node can do, where `capabilities` is what all nodes of the device can do together."""
    told = capability.capabilities & abi.CAP_DEVICE_CAPS
    return int(capability.device_caps if told else capability.capabilities)


def _check_is_camera(caps: int, path: Path) -> None:
    if caps & (abi.CAP_VIDEO_CAPTURE | abi.CAP_VIDEO_CAPTURE_MPLANE):
        if caps & abi.CAP_STREAMING:
            return
        raise SourceUnreadable(f"{path} is a camera without buffers, which edged needs", hint="Use another camera.")
    if caps & _CONVERTERS:
        raise SourceNotACamera(f"{path} converts pictures and takes none", hint="Name a camera: `edged cameras`.")
    if caps & abi.CAP_META_CAPTURE:
        raise SourceNotACamera(f"{path} gives data about pictures, but no pictures", hint=_OTHER_NODE)
    if caps & _OUTPUTS:
        raise SourceNotACamera(
            f"{path} shows pictures and takes none",
            hint="If it is a loopback device, first start the program that feeds it; else name a camera.",
        )
    raise SourceNotACamera(f"{path} is a video device that takes no pictures", hint=_OTHER_NODE)


def _rate(interval: Any) -> float:
    """1/s of a struct v4l2_fract of seconds; 0 for nonsense."""
    return interval.denominator / interval.numerator if interval.numerator and interval.denominator else 0.0
