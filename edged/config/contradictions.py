"""Mistakes that no single option shows: two options that cannot both be meant.

These look at the plain tables of the file, and pass over whatever is not of the right kind, so that they find their
mistakes in a file that has others as well.
"""

from __future__ import annotations

import math
import os.path
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any

from edged.config.toml_text import shown
from edged.domain.addresses import SCHEMES, scheme
from edged.domain.devices import device_path

FRAME_TIMEOUT_S = 1.5
"""What camera.frame_timeout_s is where it is not set."""

LEAST_FPS = 0.1

WARN_C, STOP_C = 75.0, 85.0
"""What thermal.warn_c and thermal.stop_c are where they are not set."""

_ABSURD = 1e30  # a whole number of hundreds of digits cannot even be made a float
_OF_DEVICES = ("format", "width_px", "height_px", "fps", "controls")

Place = tuple[str | int, ...]
"""Where in the file: ("camera", 1, "name")."""


def contradictions(tables: Mapping[str, Any]) -> list[tuple[Place, str]]:
    """List what contradicts itself: the place and a clause that says what is wrong there."""
    cameras = _cameras(tables)
    return [
        *_confidences(tables),
        *_heat(tables),
        *_shared(cameras, "name", "every camera needs a name of its own"),
        *_shared(cameras, "source", "a device gives its frames to one reader only", of=_device),
        *_modes_of_no_device(cameras),
        *_playing_of_cameras(cameras),
        *_rates_that_are_stalls(cameras),
    ]


def least_timeout_s(fps: float) -> float:
    """The least camera.frame_timeout_s for so many frames a second: the time of two, a tenth of a second rounded up."""
    return math.ceil(20 / fps) / 10


def _modes_of_no_device(cameras: list[tuple[int, Mapping[str, Any]]]) -> Iterator[tuple[Place, str]]:
    for index, camera in cameras:
        source = camera.get("source")
        if isinstance(source, str) and device_path(source.strip()) is None:
            for key in _OF_DEVICES:
                if camera.get(key):
                    yield ("camera", index, key), f"{shown(source)} is no device below /dev/, and takes no {key}"


def _playing_of_cameras(cameras: list[tuple[int, Mapping[str, Any]]]) -> Iterator[tuple[Place, str]]:
    for index, camera in cameras:
        source = camera.get("source")
        if isinstance(source, str) and (device_path(source.strip()) or scheme(source.strip()) in SCHEMES):
            interval_s = _as_number(camera.get("image_interval_s"))
            of_recordings = {
                "play": camera.get("play") == "in_real_time",
                "image_interval_s": interval_s not in (None, 0.1),
            }
            for key in [key for key, is_set in of_recordings.items() if is_set]:
                yield ("camera", index, key), f"{shown(source)} is a camera, which takes no {key}"


def _rates_that_are_stalls(cameras: list[tuple[int, Mapping[str, Any]]]) -> Iterator[tuple[Place, str]]:
    """A camera that is asked for so few frames that each pause between two of them counts as a loss."""
    for index, camera in cameras:
        fps, timeout_s = _as_number(camera.get("fps")), _as_number(camera.get("frame_timeout_s", FRAME_TIMEOUT_S))
        if fps is None or timeout_s is None or fps < LEAST_FPS or timeout_s <= 0:
            continue  # not set, or a mistake by itself
        if timeout_s < 2 / fps and _device(str(camera.get("source"))):
            clash = f"{shown(fps)} gives a frame every {1 / fps:.3g} s, too close to frame_timeout_s, {timeout_s:g} s, "
            hint = f"after which a camera counts as lost: set frame_timeout_s = {least_timeout_s(fps):g} or more"
            yield ("camera", index, "fps"), clash + hint


def _device(source: str) -> str | None:
    """The device itself, however many links lead to it; None for a file or folder, which many may read."""
    path = device_path(source.strip())
    return None if path is None or "\0" in path else os.path.realpath(path)


def _cameras(tables: Mapping[str, Any]) -> list[tuple[int, Mapping[str, Any]]]:
    cameras = tables.get("camera")
    if not isinstance(cameras, list | tuple):
        return []
    return [(index, camera) for index, camera in enumerate(cameras) if isinstance(camera, Mapping)]


def _confidences(tables: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    """Each of these must not be above the next."""
    in_tracker = [("tracker", key) for key in ("low_confidence", "high_confidence", "new_track_confidence")]
    ladder = [("model", "confidence"), *in_tracker]
    given = [(place, number) for place in ladder if (number := _number(tables, *place)) is not None]
    for (place, low), (next_place, high) in pairwise(given):
        if low > high:
            yield place, f"{shown(low)} is above {'.'.join(next_place)}, {shown(high)}"


def _heat(tables: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    table = tables.get("thermal")
    if not isinstance(table, Mapping):
        return
    warn_c, stop_c = _as_number(table.get("warn_c", WARN_C)), _as_number(table.get("stop_c", STOP_C))
    if warn_c is not None and stop_c is not None and warn_c >= stop_c:
        place = "stop_c" if "stop_c" in table else "warn_c"
        yield ("thermal", place), f"warn_c, {warn_c:g}, must be below stop_c, {stop_c:g}"


def _number(tables: Mapping[str, Any], section: str, key: str) -> float | None:
    table = tables.get(section)
    return _as_number(table.get(key)) if isinstance(table, Mapping) else None


def _as_number(number: Any) -> float | None:
    """A number that a person may mean; None where it is none, or so large that it is a mistake by itself."""
    is_number = isinstance(number, int | float) and not isinstance(number, bool)
    return number if is_number and abs(number) < _ABSURD else None


def _shared(
    cameras: list[tuple[int, Mapping[str, Any]]], key: str, why: str, of: Callable[[str], str | None] = str
) -> Iterator[tuple[Place, str]]:
    """Find the texts that are one and the same thing; `of` says which thing a text names, None one to be shared."""
    first_with: dict[str, int] = {}
    for index, camera in cameras:
        text = camera.get(key)
        thing = of(text) if isinstance(text, str) else None
        if thing is None:
            continue
        if thing in first_with:
            yield ("camera", index, key), f"{shown(text)} is taken by camera[{first_with[thing]}]; {why}"
        first_with.setdefault(thing, index)
