"""Frames from a camera at /dev/videoN, straight from its driver."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType

from edged.capture.formats import SUPPORTED, PixelDecoder, pixel_decoder
from edged.capture.v4l2.controls import ControlValue
from edged.capture.v4l2.device import Device
from edged.capture.v4l2.faults import nothing_but_damage, silent_fault
from edged.capture.v4l2.kernel import POLLERR, POLLHUP, Kernel, LinuxKernel
from edged.capture.v4l2.mode import Mode, WantedMode
from edged.capture.v4l2.offers import USUAL_FPS, choose, wanted_size
from edged.capture.v4l2.settings import set_controls
from edged.capture.v4l2.stream import Planes, Stream
from edged.capture.v4l2.timeline import Timeline
from edged.clock import Clock
from edged.domain.frame import Frame
from edged.domain.health import SourceStats
from edged.errors import SourceError, SourceUnreadable

_DAMAGED_MAX = 30  # so many damaged frames on end are no bad luck: the camera is opened again

_log = logging.getLogger(__name__)


class V4l2Source:
    """Plays a V4L2 camera: always the newest frame, undecoded, in the driver's own memory.

    Each frame holds one of a few buffers until it is released, which may be by another thread and after close().
    `captured_at` is the driver's own stamp where that can be believed.
    """

    def __init__(
        self,
        path: Path,
        *,
        clock: Clock,
        wanted: WantedMode = WantedMode(),  # noqa: B008  frozen
        controls: Mapping[str, ControlValue] = MappingProxyType({}),
        find: Callable[[], Path] | None = None,
        kernel: Kernel | None = None,
    ) -> None:
        """`find` says at each open() where the camera is now, and may raise SourceError; without it, at `path`.

        `controls` are set at each open(), by the names that `edged cameras` shows.

        `kernel` is the seam where a test puts its own device.
        """
        self.stats = SourceStats()
        self._path = path
        self._find = find or (lambda: path)
        self._clock = clock
        self._wanted = wanted
        self._controls = controls
        self._kernel = kernel or LinuxKernel()
        self._device: Device | None = None
        self._stream: Stream | None = None
        self._mode: Mode | None = None
        self._told_interlaced = False

    @property
    def mode(self) -> Mode | None:
        """What the driver agreed to when the source was last opened; None before."""
        return self._mode

    def open(self) -> None:
        """Negotiate a mode and start streaming.

        Raises SourceNotFound, SourceDenied, SourceBusy, SourceUnreadable, SourceMisconfigured (controls), SourceLost
        or SourceBroken.
        """
        self.close()
        self._path = self._find()
        self._device = Device(self._path, self._kernel)
        try:
            self._start(self._device)
        except BaseException:
            self.close()
            raise

    def read(self, timeout_s: float) -> Frame | None:
        """Return the newest frame, or None; those that came before it are counted as dropped.

        Raises SourceLost when the camera was unplugged, SourceBroken when its driver gave up, RuntimeError when the
        source is not open or all its buffers are held by frames.
        """
        stream = self._stream
        if stream is None:
            raise RuntimeError("read() needs open() first")
        deadline = self._clock.monotonic() + timeout_s
        while True:
            events = stream.wait(timeout_s)
            if not events:
                if stream.has_run_dry:
                    raise RuntimeError(f"{stream.size} frames of {self._path} are held: release() them")
                return None
            frame = self._newest(stream)
            if frame is not None:
                return frame
            if events & (POLLERR | POLLHUP):
                raise silent_fault(self._path)
            timeout_s = max(deadline - self._clock.monotonic(), 0.0)

    def close(self) -> None:
        """Stop streaming and give the camera back; frames that are still held stay readable."""
        stream, self._stream = self._stream, None
        device, self._device = self._device, None
        if stream is not None:
            stream.stop()
        if device is not None:
            device.close()

    def frame_count(self) -> int | None:
        """Nobody knows."""
        return None

    def _start(self, device: Device) -> None:
        mode = self._mode = self._negotiate(device)
        self.stats.interval_s = 1 / mode.fps if mode.fps else None
        self._width_px, self._height_px = mode.width_px, mode.height_px
        self._decoder = _decoder(mode, device)
        set_controls(device, self._controls)
        self._damaged = 0  # on end
        self._stream = Stream(device, mode, self._kernel)
        self._stream.start()
        self._timeline = Timeline(self._clock.monotonic(), self.stats)
        self._lends = self._stream.lends

    def _negotiate(self, device: Device) -> Mode:
        wanted = self._wanted
        width_px, height_px = wanted_size(wanted)
        offers = device.offers(width_px, height_px, SUPPORTED)
        best = choose(offers, wanted)
        if best is None:  # then what a person asked for is not there: let the driver say what it has
            best = choose(offers, WantedMode(None, wanted.width_px, wanted.height_px, wanted.fps))
        if best is not None:
            width_px, height_px = best.width_px, best.height_px
        mode = device.set_mode(best.fourcc if best else None, width_px, height_px, wanted.fps or USUAL_FPS)
        _log.info("%s (%s) gives %s", self._path, device.card, mode)
        _say_what_differs(wanted, mode, self._path)
        self._say_if_interlaced(mode)
        return mode

    def _say_if_interlaced(self, mode: Mode) -> None:
        if mode.interlaced and not self._told_interlaced:
            self._told_interlaced = True
            _log.warning(
                "%s gives half pictures or interlaced ones, though it was asked for whole ones: what moves has combs",
                self._path,
            )

    def _newest(self, stream: Stream) -> Frame | None:
        """Take all filled buffers and keep the newest; None when none of them holds a picture."""
        stats, timeline, filled = self.stats, self._timeline, stream.filled
        now = self._clock.monotonic()
        newest = -1
        for _ in range(stream.size):  # no more: a fast camera must not keep us here
            try:
                index = stream.take()
            except SourceError:
                if newest < 0:
                    raise
                break  # the fault can wait for the next read, and its traceback must not hold this buffer meanwhile
            if index < 0:
                break
            number = timeline.number(filled.sequence, filled.tv_sec, filled.tv_usec)
            if stream.is_damaged():
                stream.give_back(index)
                self._count_damaged()
                continue
            if newest >= 0:
                stats.dropped += 1
                stream.give_back(newest)
            self._damaged = 0
            newest, seq, planes = index, number, stream.views(index)
            at = timeline.instant(filled.flags, filled.tv_sec, filled.tv_usec, now)
        if newest < 0:
            return None
        stats.frames += 1
        return self._frame(stream, newest, planes, seq, at)

    def _frame(self, stream: Stream, index: int, planes: Planes, seq: int, at: float) -> Frame:
        release = None
        if self._lends:
            release = partial(stream.give_back, index)
        else:
            planes = [plane.copy() for plane in planes]
            stream.give_back(index)
        return Frame(
            seq=seq,
            captured_at=at,
            width_px=self._width_px,
            height_px=self._height_px,
            decode=partial(self._decoder.decode, planes),
            decode_for=partial(self._decoder.decode_for, planes),
            decode_luma=partial(self._decoder.luma, planes),
            release=release,
        )

    def _count_damaged(self) -> None:
        self.stats.corrupt += 1
        self._damaged += 1
        if self._damaged >= _DAMAGED_MAX:
            raise nothing_but_damage(self._path, self._damaged)


def _decoder(mode: Mode, device: Device) -> PixelDecoder:
    if mode.fourcc not in SUPPORTED:
        raise SourceUnreadable(
            f"{device.path} gives pictures in the format {mode.fourcc}, which edged does not read",
            hint=f"It offers {', '.join(device.fourccs())}; edged reads {', '.join(SUPPORTED)}.",
        )
    return pixel_decoder(
        mode.fourcc,
        width_px=mode.width_px,
        height_px=mode.height_px,
        stride_bytes=mode.stride_bytes,
        full_range=mode.full_range,
        bt709=mode.bt709,
    )


def _say_what_differs(wanted: WantedMode, mode: Mode, path: Path) -> None:
    asked = [
        f"{name} {want:g}" if isinstance(want, float) else f"{name} {want}"
        for name, want, differs in (
            ("format", wanted.fourcc, wanted.fourcc != mode.fourcc),
            ("width", wanted.width_px, wanted.width_px != mode.width_px),
            ("height", wanted.height_px, wanted.height_px != mode.height_px),
            ("fps", wanted.fps, not math.isclose(wanted.fps or 0.0, mode.fps or 0.0, rel_tol=0.01)),
        )
        if want is not None and differs
    ]
    if asked:
        _log.warning("%s was asked for %s, and gives %s: its driver decides", path, ", ".join(asked), mode)
