"""Takes a single picture of a source, for a person to look at."""

from __future__ import annotations

from edged.clock import Clock
from edged.domain.frame import BgrImage, Frame
from edged.errors import FrameCorrupt, SourceStalled, SourceUnreadable
from edged.pipeline.feeder import FIRST_FRAME_S
from edged.ports import EndOfStream, Source

SETTLE_FRAMES = 5
SETTLE_FOR_S = 1.0
"""A camera that was just opened is too dark or too bright until its exposure has settled."""

_READ_S = 0.5


def take_picture(source: Source, *, name: str, clock: Clock, timeout_s: float, settle: bool) -> BgrImage:
    """Return the first picture of an open source that can be decoded, (H, W, 3) uint8 BGR.

    `name` is the source's, for messages. With `settle`, frames go by undecoded for a second, five at least. Raises
    SourceStalled when no good picture comes for `timeout_s` seconds, or FIRST_FRAME_S where that is longer and none
    has come yet; SourceUnreadable when a file holds none; and as Source.read does.
    """
    opened_at = good_at = clock.monotonic()
    patience_s = max(timeout_s, FIRST_FRAME_S)
    passed = 0
    while clock.monotonic() - good_at < patience_s:
        frame = _next(source, name, timeout_s)
        if frame is None:
            continue
        if settle and (passed < SETTLE_FRAMES or clock.monotonic() - opened_at < SETTLE_FOR_S):
            frame.release()
            good_at, patience_s = clock.monotonic(), timeout_s
            passed += 1
            continue
        try:
            return frame.image()
        except FrameCorrupt:  # the next one may be whole
            continue
        finally:
            frame.release()
    raise SourceStalled(
        f"{name} gave no picture that can be shown within {patience_s:g} s",
        hint="Check the cable and the power of the camera; `dmesg` may say more.",
    )


def _next(source: Source, name: str, timeout_s: float) -> Frame | None:
    try:
        return source.read(min(_READ_S, timeout_s))
    except EndOfStream:
        raise SourceUnreadable(
            f"{name} holds no picture that can be decoded", hint="Copy the file again, or try another one."
        ) from None
