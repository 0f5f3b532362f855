"""Mistakes that no single option shows: two options that cannot both be meant.

These look at the plain tables of the file, and pass over whatever is not of the right kind, so that they find their
mistakes in a file that has others as well.
"""

from __future__ import annotations

import os.path
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any

from edged.config.toml_text import shown
from edged.domain.devices import device_path

_OF_DEVICES = ("format", "width_px", "height_px", "fps", "controls")

Place = tuple[str | int, ...]
"""Where in the file: ("camera", 1, "name")."""


def contradictions(tables: Mapping[str, Any]) -> list[tuple[Place, str]]:
    """List what contradicts itself: the place and a clause that says what is wrong there."""
    cameras = _cameras(tables)
    return [
        *_confidences(tables),
        *_shared(cameras, "name", "every camera needs a name of its own"),
        *_shared(cameras, "source", "a device gives its frames to one reader only", of=_device),
        *_modes_of_no_device(cameras),
    ]


def _modes_of_no_device(cameras: list[tuple[int, Mapping[str, Any]]]) -> Iterator[tuple[Place, str]]:
    for index, camera in cameras:
        source = camera.get("source")
        if isinstance(source, str) and device_path(source) is None:
            for key in _OF_DEVICES:
                if camera.get(key):
                    yield ("camera", index, key), f"{shown(source)} is no device below /dev/, and takes no {key}"


def _device(source: str) -> str | None:
    """The device itself, however many links lead to it; None for a file or folder, which many may read."""
    path = device_path(source)
    return None if path is None or "\0" in path else os.path.realpath(path)


def _cameras(tables: Mapping[str, Any]) -> list[tuple[int, Mapping[str, Any]]]:
    cameras = tables.get("camera")
    if not isinstance(cameras, list | tuple):
        return []
    return [(index, camera) for index, camera in enumerate(cameras) if isinstance(camera, Mapping)]


def _confidences(tables: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    """Each of these must not be above the next."""
    ladder = [("model", "confidence"), ("tracker", "low_confidence"), ("tracker", "high_confidence")]
    given = [(place, number) for place in ladder if (number := _number(tables, *place)) is not None]
    for (place, low), (next_place, high) in pairwise(given):
        if low > high:
            yield place, f"{shown(low)} is above {'.'.join(next_place)}, {shown(high)}"


def _number(tables: Mapping[str, Any], section: str, key: str) -> float | None:
    table = tables.get(section)
    number = table.get(key) if isinstance(table, Mapping) else None
    return number if isinstance(number, int | float) and not isinstance(number, bool) else None


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
