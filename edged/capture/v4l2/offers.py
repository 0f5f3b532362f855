"""Which of the modes that a camera offers costs least."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from edged.capture.formats import SUPPORTED
from edged.capture.v4l2.mode import WantedMode

USUAL_WIDTH_PX, USUAL_HEIGHT_PX, USUAL_FPS = 640, 480, 30.0
"""What is asked for where a person names nothing: enough for any detector that runs on a small board."""

_NEAR_ENOUGH = 0.8  # of the wanted rate: 25 fps are as good as 30


@dataclass(frozen=True, slots=True)
class SizeRange:
    """The sizes of a format, in px: from a smallest to a largest in steps."""

    min_width: int
    max_width: int
    step_width: int
    min_height: int
    max_height: int
    step_height: int

    @classmethod
    def fixed(cls, width_px: int, height_px: int) -> SizeRange:
        """Just one size."""
        return cls(width_px, width_px, 1, height_px, height_px, 1)

    def nearest(self, width_px: int, height_px: int) -> tuple[int, int]:
        """Return the smallest size that covers the given one, or the largest there is."""
        return (
            _nearest(width_px, self.min_width, self.max_width, self.step_width),
            _nearest(height_px, self.min_height, self.max_height, self.step_height),
        )


@dataclass(frozen=True, slots=True)
class Offer:
    """A format in one size, and its highest rate in 1/s; None where the driver does not say."""

    fourcc: str
    width_px: int
    height_px: int
    fps: float | None


def wanted_size(wanted: WantedMode) -> tuple[int, int]:
    """Return the least width and height, in px; where only one is named, the other may be any."""
    if wanted.width_px is None and wanted.height_px is None:
        return USUAL_WIDTH_PX, USUAL_HEIGHT_PX
    return wanted.width_px or 1, wanted.height_px or 1


def choose(offers: Iterable[Offer], wanted: WantedMode) -> Offer | None:
    """Pick the offer that costs least; None when edged can decode none of them.

    In this order: large enough (or the largest there is), fast enough (or the fastest), no larger than needed, and of
    a format that is cheap to read. So raw pictures are preferred, and MJPG where the bus is too slow for them.
    """
    fourccs = (wanted.fourcc,) if wanted.fourcc else SUPPORTED
    known = [offer for offer in offers if offer.fourcc in fourccs]
    width_px, height_px = wanted_size(wanted)
    fps = wanted.fps or USUAL_FPS

    def cost(offer: Offer) -> tuple[int, float, int, int, float]:
        covered = min(offer.width_px, width_px) * min(offer.height_px, height_px)
        rate = fps if offer.fps is None else offer.fps
        too_slow = max(0.0, _NEAR_ENOUGH * fps - rate)
        return -covered, too_slow, offer.width_px * offer.height_px, fourccs.index(offer.fourcc), -rate

    return min(known, key=cost, default=None)


def _nearest(wanted: int, low: int, high: int, step: int) -> int:
    steps = -(-(wanted - low) // max(step, 1))
    return min(max(low, low + steps * max(step, 1)), high)
