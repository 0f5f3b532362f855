"""A camera as a [[camera]] table, ready for the configuration file."""

from __future__ import annotations

import re
from collections.abc import Collection

from edged.capture.cameras import FoundCamera
from edged.capture.v4l2.mode import WantedMode
from edged.config.contradictions import FRAME_TIMEOUT_S, least_timeout_s
from edged.config.toml_text import toml_value

_LONGEST_NAME = 30


def camera_table(name: str, camera: FoundCamera, mode: WantedMode | None) -> str:
    """Write the table of `camera`, read in `mode`; None leaves the mode to edged."""
    options: dict[str, object] = {"name": name, "source": camera.stable_path}
    if mode is not None:
        options |= {"format": mode.fourcc, "width_px": mode.width_px, "height_px": mode.height_px}
        fps = mode.fps and _short(mode.fps)
        options |= {"fps": fps}
        if fps and least_timeout_s(fps) > FRAME_TIMEOUT_S:
            options |= {"frame_timeout_s": least_timeout_s(fps)}
    lines = [f"{key} = {toml_value(value)}" for key, value in options.items() if value is not None]
    return "\n".join(["[[camera]]", *lines])


def name_for(camera: FoundCamera, taken: Collection[str]) -> str:
    """Make a name for the configuration of what the driver calls the camera; none of `taken`."""
    told = camera.node.name.partition(":")[0].lower()  # a USB camera is called by its name twice
    name = re.sub("[^a-z0-9]+", "-", told)[:_LONGEST_NAME].strip("-") or "camera"
    number = 1
    while (numbered := name if number == 1 else f"{name}-{number}") in taken:
        number += 1
    return numbered


def _short(number: float) -> float | int:
    return int(number) if number == int(number) else round(number, 3)
