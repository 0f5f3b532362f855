"""One camera of a FakeKernel: what it offers, what it does, and what goes wrong with it."""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from edged.testing.v4l2_controls import FakeControl, FakeControls
from edged.testing.v4l2_pictures import PictureLayout
from edged.testing.v4l2_queue import FakeQueue, error

CAPTURE, OUTPUT, CAPTURE_MPLANE, M2M, META_CAPTURE, STREAMING = 0x1, 0x2, 0x1000, 0x8000, 0x800000, 0x4000000
_DEVICE_CAPS = 0x80000000
_TYPE_CAPTURE, _TYPE_CAPTURE_MPLANE = 1, 9

_PRIV_MAGIC = 0xFEEDCAFE  # a program sets it that knows of the fields behind `priv`

_POLLIN, _POLLERR, _POLLHUP = 0x1, 0x8, 0x10

_Entry = TypeVar("_Entry")


@dataclass(frozen=True)
class FakeFormat:
    """A pixel format with its sizes, and the rates of all of them in 1/s."""

    fourcc: str
    sizes: Sequence[tuple[int, int]] = ((640, 480), (320, 240))
    rates: Sequence[int] = (30, 15, 5)


class FakeCamera:
    """A camera with levers: set an attribute, and the driver behaves so from then on."""

    def __init__(
        self,
        formats: Sequence[FakeFormat] = (FakeFormat("YUYV"),),
        *,
        controls: Sequence[FakeControl] = (),
        multiplanar: bool = False,
        padding_bytes: int = 0,
    ) -> None:
        """`padding_bytes` follow each row of a picture, see PictureLayout."""
        self.formats = list(formats)
        self.multiplanar = multiplanar
        self.padding_bytes = padding_bytes
        self.controls = FakeControls(controls)
        self.queue = FakeQueue()
        # What it says of itself
        self.driver = b"fake"
        self.caps = (CAPTURE_MPLANE if multiplanar else CAPTURE) | STREAMING
        self.shared_caps = 0  # of the device's other nodes
        self.is_v4l2 = True
        self.lists_sizes = True
        # What it makes of what is asked
        self.fourcc_answered: str | None = None
        self.size_answered: tuple[int, int] | None = None
        self.sets_rate = True
        self.field_answered = 1  # V4L2_FIELD_NONE: whole pictures
        self.colour = (0, 0, 0)  # colorspace, ycbcr_enc, quantization
        # What goes wrong
        self.has_node = True
        self.open_error = 0
        self.busy = False  # another program streams
        self.refusals: dict[int, list[int]] = {}  # by the request's number, the errors of its next calls
        self._files: dict[int, bool] = {}  # whether each is of the camera as it is plugged in now
        self._size = self.formats[0].sizes[0]
        self._fourcc = self.formats[0].fourcc
        self._fps = 5.0  # until S_PARM says otherwise, as vivid does
        self._owner = -1

    def refuse(self, request: int, number: int, *, times: int = 1) -> None:
        """Answer the next calls of a request with an error; 0 lets them pass."""
        self.refusals.setdefault(request & 0xFF, []).extend([number] * times)

    def unplug(self, *, node_stays: bool = False) -> None:
        """Pull it out: what is open is dead for good."""
        self._files = dict.fromkeys(self._files, False)
        self.has_node = node_stays
        self.open_error = errno.ENODEV
        self.queue.free()
        self._owner = -1

    def plug_in(self) -> None:
        """Put it back."""
        self.has_node, self.open_error = True, 0

    # What the kernel calls

    def opened(self, fd: int) -> None:
        """Take note of a new open file."""
        self._files[fd] = True

    def closed(self, fd: int) -> None:
        """Let go of what a file had."""
        del self._files[fd]
        if fd == self._owner:
            self.queue.free()
            self._owner = -1

    def ioctl(self, fd: int, number: int, argument: Any, now: float) -> None:
        """Answer a request by its number in the header. Raises OSError."""
        if not self._files[fd]:
            raise error(errno.ENODEV)
        if self.refusals.get(number) and (refusal := self.refusals[number].pop(0)):
            raise error(refusal)
        answer = self._answers().get(number) if self.is_v4l2 else None
        if answer is None:
            raise error(errno.ENOTTY)
        if number in (5, 8) and (self.busy or self._owner not in (-1, fd)):
            raise error(errno.EBUSY)
        self.queue.advance(now)
        answer(argument, now)
        if number == 8:
            self._owner = fd if argument.count else -1

    def poll(self, fd: int, now: float) -> int:
        """Return the events that wait."""
        if not self._files[fd]:
            return _POLLERR | _POLLHUP
        self.queue.advance(now)
        if self.queue.broken or not self.queue.streaming:
            return _POLLERR
        return _POLLIN if self.queue.done else 0

    def mmap(self, length: int, offset: int) -> npt.NDArray[np.uint8]:
        """Map a plane of a buffer."""
        return self.queue.mmap(length, offset)

    def _answers(self) -> dict[int, Callable[[Any, float], None]]:
        queue, controls = self.queue, self.controls
        return {
            0: self._querycap,
            2: self._enum_fmt,
            4: self._g_fmt,
            5: self._s_fmt,
            8: self._reqbufs,
            9: queue.querybuf,
            15: queue.qbuf,
            17: queue.dqbuf,
            18: lambda argument, now: queue.streamon(now, self._fps),
            19: lambda argument, now: queue.streamoff(),
            21: self._g_parm,
            22: self._s_parm,
            27: controls.g_ctrl,
            28: controls.s_ctrl,
            36: controls.queryctrl,
            37: controls.querymenu,
            74: self._enum_framesizes,
            75: self._enum_frameintervals,
        }

    def _querycap(self, cap: Any, now: float) -> None:
        cap.driver, cap.card, cap.bus_info = self.driver, b"A camera that never was", b"fake:0"
        cap.device_caps = self.caps
        cap.capabilities = self.caps | self.shared_caps | _DEVICE_CAPS

    def _enum_fmt(self, description: Any, now: float) -> None:
        self._check_type(description.type)
        description.pixelformat = _code(_entry(self.formats, description.index).fourcc)

    def _enum_framesizes(self, size: Any, now: float) -> None:
        if not self.lists_sizes:
            raise error(errno.ENOTTY)
        size.type = 1
        size.discrete.width, size.discrete.height = _entry(self._format(size.pixel_format).sizes, size.index)

    def _enum_frameintervals(self, interval: Any, now: float) -> None:
        form = self._format(interval.pixel_format)
        if (interval.width, interval.height) not in form.sizes:
            raise error(errno.EINVAL)
        interval.type = 1
        interval.discrete.numerator, interval.discrete.denominator = 1, _entry(form.rates, interval.index)

    def _g_fmt(self, form: Any, now: float) -> None:
        self._check_type(form.type)
        layout = self._layout()
        pix = form.pix_mp if self.multiplanar else form.pix
        pix.width, pix.height, pix.pixelformat = layout.width_px, layout.height_px, _code(layout.fourcc)
        pix.field = self.field_answered
        pix.colorspace = self.colour[0]
        if self.multiplanar or pix.priv == _PRIV_MAGIC:
            _, pix.ycbcr_enc, pix.quantization = self.colour
        if self.multiplanar:
            pix.num_planes = len(layout.plane_bytes)
            for plane, size in zip(pix.plane_fmt, layout.plane_bytes, strict=False):
                plane.sizeimage, plane.bytesperline = size, layout.stride_bytes
        else:
            pix.sizeimage, pix.bytesperline = layout.plane_bytes[0], layout.stride_bytes

    def _s_fmt(self, form: Any, now: float) -> None:
        """Answer the nearest thing there is, and never complain: so real drivers do."""
        self._check_type(form.type)
        pix = form.pix_mp if self.multiplanar else form.pix
        wanted = next((f for f in self.formats if _code(f.fourcc) == pix.pixelformat), self.formats[0])
        self._fourcc = self.fourcc_answered or wanted.fourcc
        self._size = self.size_answered or min(
            wanted.sizes, key=lambda size: abs(size[0] - pix.width) + abs(size[1] - pix.height)
        )
        self._g_fmt(form, now)

    def _g_parm(self, parm: Any, now: float) -> None:
        self._check_type(parm.type)
        parm.capture.capability = 0x1000
        parm.capture.timeperframe.numerator, parm.capture.timeperframe.denominator = 1000, round(1000 * self._fps)

    def _s_parm(self, parm: Any, now: float) -> None:
        if not self.sets_rate:
            raise error(errno.ENOTTY)
        wanted = parm.capture.timeperframe.denominator / parm.capture.timeperframe.numerator
        self._fps = float(min(self._format(_code(self._fourcc)).rates, key=lambda rate: abs(rate - wanted)))
        self._g_parm(parm, now)

    def _reqbufs(self, request: Any, now: float) -> None:
        self._check_type(request.type)
        request.count = self.queue.allocate(request.count, self._layout())

    def _layout(self) -> PictureLayout:
        return PictureLayout(self._fourcc, *self._size, padding_bytes=self.padding_bytes)

    def _format(self, code: int) -> FakeFormat:
        for form in self.formats:
            if _code(form.fourcc) == code:
                return form
        raise error(errno.EINVAL)

    def _check_type(self, kind: int) -> None:
        if kind != (_TYPE_CAPTURE_MPLANE if self.multiplanar else _TYPE_CAPTURE):
            raise error(errno.EINVAL)


def _entry(entries: Sequence[_Entry], index: int) -> _Entry:
    if index >= len(entries):
        raise error(errno.EINVAL)
    return entries[index]


def _code(fourcc: str) -> int:
    return int.from_bytes(fourcc.encode(), "little")
