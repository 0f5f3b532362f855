"""Everything that a camera offers, for people and for choosing a mode."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edged.capture.formats import SUPPORTED
from edged.capture.v4l2 import abi, structures
from edged.capture.v4l2.controls import Control, list_controls
from edged.capture.v4l2.device import Device
from edged.capture.v4l2.kernel import Kernel, LinuxKernel
from edged.capture.v4l2.mode import WantedMode
from edged.capture.v4l2.offers import USUAL_FPS, USUAL_HEIGHT_PX, USUAL_WIDTH_PX, Offer, SizeRange, choose

_SLOWEST_FPS = 10.0
"""Below this, people take steps between two frames that a tracker has to guess."""

_FASTER_BY = 1.02  # 30.3 fps are 30


@dataclass(frozen=True, slots=True)
class OfferedSize:
    """A size of a format, or a range of sizes, and its frame rates."""

    size: SizeRange
    rates: tuple[float, ...]  # 1/s, fastest first; of a range both ends; empty where the driver does not say


@dataclass(frozen=True, slots=True)
class OfferedFormat:
    """A pixel format with its sizes; none where the driver does not list them."""

    fourcc: str
    sizes: tuple[OfferedSize, ...]

    @property
    def is_read(self) -> bool:
        """Whether edged can decode it."""
        return self.fourcc in SUPPORTED


@dataclass(frozen=True, slots=True)
class ControlReading:
    """A control, and how it is set now; None where it cannot be read."""

    control: Control
    value: int | None


@dataclass(frozen=True, slots=True)
class CameraDescription:
    """What a camera's driver says of it, in the driver's order."""

    driver: str
    formats: tuple[OfferedFormat, ...]
    controls: tuple[ControlReading, ...]


def describe(path: Path, *, kernel: Kernel | None = None) -> CameraDescription:
    """Ask the camera at `path` what it offers, which disturbs nobody who reads it. Raises SourceError."""
    device = Device(path, kernel or LinuxKernel())
    try:
        return CameraDescription(
            driver=device.driver,
            formats=tuple(OfferedFormat(fourcc, tuple(_sizes(device, fourcc))) for fourcc in device.fourccs()),
            controls=tuple(_reading(device, control) for control in list_controls(device).controls),
        )
    finally:
        device.close()


def suited_mode(camera: CameraDescription, *, width_px: int, height_px: int) -> WantedMode | None:
    """Choose the mode that suits a model of this input best; None when edged can read none.

    It covers the input at 30 fps, or nearly so, with the least to read; where nothing does, the nearest to that. One
    below 10 fps is only taken where all are.
    """
    sizes = {
        Offer(form.fourcc, *offered.size.nearest(width_px, height_px), max(offered.rates, default=None)): offered
        for form in camera.formats
        if form.fourcc in SUPPORTED
        for offered in form.sizes
    }
    fast = [offer for offer in sizes if offer.fps is None or offer.fps >= _SLOWEST_FPS]
    best = choose(fast or sizes, WantedMode(width_px=width_px, height_px=height_px))
    if best is None:
        return None
    return WantedMode(best.fourcc, best.width_px, best.height_px, _suited_rate(sizes[best].rates))


def _suited_rate(rates: tuple[float, ...]) -> float | None:
    """The rate next to 30 fps and not above it, where that is not too slow; else the next above it."""
    usual = [rate for rate in rates if _SLOWEST_FPS <= rate <= _FASTER_BY * USUAL_FPS]
    if usual or not rates:
        return max(usual, default=None)
    if rates[-1] < _SLOWEST_FPS < USUAL_FPS < rates[0]:  # the ends of a range, most likely: 30 lies in it
        return USUAL_FPS
    return rates[-1] if rates[-1] > USUAL_FPS else rates[0]


def _sizes(device: Device, fourcc: str) -> Iterator[OfferedSize]:
    for size in device.sizes(fourcc):
        rates = device.rates(fourcc, *size.nearest(USUAL_WIDTH_PX, USUAL_HEIGHT_PX))
        yield OfferedSize(size, tuple(rates))


def _reading(device: Device, control: Control) -> ControlReading:
    answer = structures.ControlValue(id=control.id)
    if control.type == abi.CTRL_TYPE_BUTTON or device.attempt(abi.G_CTRL, answer) is not None:
        return ControlReading(control, None)  # written only, or not answered for: the rest is still worth telling
    return ControlReading(control, int(answer.value))
