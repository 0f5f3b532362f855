"""A camera's settings: exposure, focus, power line frequency and the like, as its driver lists them."""

from __future__ import annotations

import errno
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from edged.capture.v4l2 import abi, structures
from edged.capture.v4l2.device import Device
from edged.capture.v4l2.faults import is_unknown

ControlValue = int | str | bool

_NUMBERS = (abi.CTRL_TYPE_INTEGER, abi.CTRL_TYPE_BITMASK)
_MENUS = (abi.CTRL_TYPE_MENU, abi.CTRL_TYPE_INTEGER_MENU)
_SETTABLE = (*_NUMBERS, *_MENUS, abi.CTRL_TYPE_BOOLEAN, abi.CTRL_TYPE_BUTTON)
_CONTROLS_MAX = 1000  # a driver that never ends its list must not hang us
_STEPS_MAX = 32  # over numbers whose controls a camera cannot describe: each may cost a USB round trip
_TIMEOUTS = (errno.ETIME, errno.ETIMEDOUT)  # a camera that hangs takes seconds for each
_FIRST_OF_CLASS = 0x900  # V4L2_CID_BASE and the bases of the other classes; before it is only their heading


@dataclass(frozen=True, slots=True)
class Control:
    """One setting, as struct v4l2_queryctrl tells of it."""

    id: int
    name: str  # normalised: power_line_frequency
    type: int
    minimum: int
    maximum: int
    step: int
    default: int
    flags: int
    menu: Mapping[int, str] = field(default_factory=dict)  # words by number; an integer menu's numbers as words

    @property
    def choices(self) -> str:
        """What it can be set to, for people."""
        match self.type:
            case abi.CTRL_TYPE_BOOLEAN:
                return "true or false"
            case abi.CTRL_TYPE_BUTTON:
                return "true, which presses it"
            case _ if self.menu:
                return ", ".join(f'{number} or "{word}"' for number, word in self.menu.items())
        steps = f" in steps of {self.step}" if self.step > 1 else ""
        return f"{self.minimum} to {self.maximum}{steps}"

    def number_for(self, value: ControlValue) -> int | None:
        """Translate what a person wrote into the driver's number; None where it cannot be set to that."""
        if isinstance(value, str):
            words = {normalised(word): number for number, word in self.menu.items()}
            return words.get(normalised(value))
        is_switch = isinstance(value, bool)
        if self.type != abi.CTRL_TYPE_BOOLEAN and is_switch != (self.type == abi.CTRL_TYPE_BUTTON):
            return None  # only a button must be true, and only a boolean may be true or 1
        if self.type in _MENUS:
            fits = value in self.menu
        elif self.type == abi.CTRL_TYPE_BITMASK:
            fits = value >= 0 and not value & ~(self.maximum & 0xFFFF_FFFF)
        elif self.type == abi.CTRL_TYPE_BUTTON:
            fits = bool(value)
        else:
            fits = self.minimum <= value <= self.maximum
        return int(value) if fits else None


def normalised(name: str) -> str:
    """Spell a name as v4l2-ctl does: "Power Line Frequency" is power_line_frequency."""
    return re.sub("[^a-z0-9]+", "_", name.lower()).strip("_")


@dataclass(frozen=True, slots=True)
class ControlList:
    """What can be set at a camera, in the driver's order."""

    controls: tuple[Control, ...]
    trouble: OSError | None  # why there may be more: the camera could not describe one


def list_controls(device: Device) -> ControlList:
    """List all controls that the camera can describe. Raises SourceLost when it is gone, and nothing else."""
    queries, trouble = [], None
    for query in _queries(device):
        if isinstance(query, OSError):
            trouble = query
        elif query.type in _SETTABLE:
            queries.append(query)
    return ControlList(tuple(_control(device, query) for query in queries), trouble)


def _queries(device: Device) -> Iterator[Any]:
    """Give a struct v4l2_queryctrl for each control, or the OSError for one that the camera cannot describe.

    Its number is not told then: those that it may have are stepped over until the next control answers.
    """
    number = steps = 0
    for _ in range(_CONTROLS_MAX):
        query = structures.QueryControl(id=number | abi.CTRL_FLAG_NEXT_CTRL)
        error = device.attempt(abi.QUERYCTRL, query)
        if error is None:
            yield query
            number, steps = query.id, 0
            continue
        if is_unknown(error):
            return  # there is no more
        yield error
        steps += 1
        if steps > _STEPS_MAX or error.errno in _TIMEOUTS:
            return
        control_class = number & ~0xFFFF or abi.CTRL_CLASS_USER
        number = max(number + 1, control_class | _FIRST_OF_CLASS)


def _control(device: Device, query: Any) -> Control:
    menu = {}
    if query.type in _MENUS:
        for index in range(max(query.minimum, 0), min(query.maximum, _CONTROLS_MAX) + 1):
            entry = structures.QueryMenu(id=query.id, index=index)
            if device.attempt(abi.QUERYMENU, entry) is None:  # a menu may have gaps
                menu[index] = _word(bytes(entry.entry), query.type)
    return Control(
        id=query.id,
        name=normalised(query.name.decode(errors="replace")),
        type=query.type,
        minimum=query.minimum,
        maximum=query.maximum,
        step=query.step,
        default=query.default_value,
        flags=query.flags,
        menu=menu,
    )


def _word(entry: bytes, kind: int) -> str:
    if kind == abi.CTRL_TYPE_INTEGER_MENU:
        return str(int.from_bytes(entry[:8], sys.byteorder, signed=True))
    return entry.split(b"\0")[0].decode(errors="replace")
