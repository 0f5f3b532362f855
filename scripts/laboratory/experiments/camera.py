"""The camera as the laboratory's experiments open it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edged.capture.v4l2.mode import WantedMode
from edged.capture.v4l2.source import V4l2Source
from edged.clock import Clock


def open_camera(
    device: Path,
    clock: Clock,
    *,
    fourcc: str = "YUYV",
    width_px: int = 320,
    height_px: int = 180,
    fps: float = 25.0,
    find: Callable[[], Path] | None = None,
) -> V4l2Source:
    """Make a source; a small picture is the rule, because every pixel that vivid draws is drawn by an emulated CPU."""
    return V4l2Source(device, clock=clock, wanted=WantedMode(fourcc, width_px, height_px, fps), find=find)
