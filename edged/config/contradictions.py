"""Mistakes that no single option shows: two options that cannot both be meant.

These look at the plain tables of the file, and pass over whatever is not of the right kind, so that they find their
mistakes in a file that has others as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from edged.config.toml_text import shown

Place = tuple[str | int, ...]
"""Where in the file: ("camera", 1, "name")."""


def contradictions(tables: Mapping[str, Any]) -> list[tuple[Place, str]]:
    """List what contradicts itself: the place and a clause that says what is wrong there."""
    cameras = _cameras(tables)
    return [
        *_confidences(tables),
        *_shared(cameras, "name", "every camera needs a name of its own"),
        *_shared(cameras, "source", "a device gives its frames to one reader only"),
    ]


def is_device(source: str) -> bool:
    """Whether a source is a camera, which never ends, rather than a file or a folder."""
    return source.startswith(("/dev/video", "/dev/v4l/"))


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


def _shared(cameras: list[tuple[int, Mapping[str, Any]]], key: str, why: str) -> Iterator[tuple[Place, str]]:
    first_with: dict[str, int] = {}
    for index, camera in cameras:
        value = camera.get(key)
        if not isinstance(value, str) or (key == "source" and not is_device(value)):
            continue
        if value in first_with:
            yield ("camera", index, key), f"{shown(value)} is taken by camera[{first_with[value]}]; {why}"
        first_with.setdefault(value, index)
