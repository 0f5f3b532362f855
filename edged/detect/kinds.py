"""The kinds of value that stand in model.toml."""

from __future__ import annotations

import math
import re
from enum import Enum
from typing import Any, TypeVar

from edged.detect.tables import Kind
from edged.domain.coco import COCO80

E = TypeVar("E", bound=Enum)

NAMED_LISTS = {"coco80": COCO80}
"""What `labels = "…"` may say instead of a list."""


def _demand(right: bool) -> None:
    if not right:
        raise ValueError


def _number(value: Any) -> float:
    _demand(isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value))
    return float(value)


def _whole(value: Any, low: int, high: int) -> int:
    _demand(isinstance(value, int) and not isinstance(value, bool) and low <= value <= high)
    return int(value)


def _text(value: Any) -> str:
    _demand(isinstance(value, str) and value.strip() != "")
    return str(value)


def _texts(value: Any) -> tuple[str, ...]:
    _demand(isinstance(value, list) and len(value) > 0)
    texts = tuple(_text(item) for item in value)
    _demand(len(set(texts)) == len(texts))
    return texts


def _file_name(value: Any) -> str:
    name = _text(value)
    _demand("/" not in name and "\\" not in name and name not in (".", ".."))
    return name


def _fraction(value: Any) -> float:
    number = _number(value)
    _demand(0 <= number <= 1)
    return number


def _three_numbers(value: Any) -> tuple[float, float, float]:
    _demand(isinstance(value, list) and len(value) == 3)
    first, second, third = (_number(item) for item in value)
    return first, second, third


def _scale(value: Any) -> tuple[float, float, float]:
    numbers = _three_numbers(value)
    _demand(0 not in numbers)
    return numbers


def _strides(value: Any) -> tuple[int, ...]:
    _demand(isinstance(value, list) and len(value) > 0)
    return tuple(_whole(item, 1, 256) for item in value)


def _labels(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        _demand(value in NAMED_LISTS)
        return NAMED_LISTS[value]
    return _texts(value)


def _sha256(value: Any) -> str:
    digest = _text(value).lower()
    _demand(re.fullmatch(r"[0-9a-f]{64}", digest) is not None)
    return digest


def choice(kind: type[E]) -> Kind[E]:
    """One of the values of an Enum."""
    options = list(kind)
    return Kind("one of " + ", ".join(f'"{option.value}"' for option in options), options[0], kind)


TEXT = Kind("a text", "?", _text)
TEXTS: Kind[tuple[str, ...]] = Kind('a list of different texts, ["out0"]', ("?",), _texts)
FILE_NAME = Kind("the name of a file in this folder", "?", _file_name)
SIDE_PX = Kind("a whole number of pixels, 32 to 4096", 32, lambda value: _whole(value, 32, 4096))
BYTE = Kind("a whole number, 0 to 255", 114, lambda value: _whole(value, 0, 255))
FRACTION = Kind("a number, 0 to 1", 0.5, _fraction)
MEAN = Kind("three numbers, one a channel", (0.0, 0.0, 0.0), _three_numbers)
SCALE = Kind("three numbers other than 0, one a channel", (1.0, 1.0, 1.0), _scale)
STRIDES: Kind[tuple[int, ...]] = Kind("a list of whole numbers, [8, 16, 32]", (8, 16, 32), _strides)
LABELS: Kind[tuple[str, ...]] = Kind(
    f"a list of different texts, or {' or '.join(repr(name) for name in NAMED_LISTS)}", COCO80, _labels
)
SHA256 = Kind("64 hexadecimal digits (sha256sum FILE)", "0" * 64, _sha256)
