"""A camera's settings: exposure, focus, power line frequency and the like, by name."""

from __future__ import annotations

import difflib
import errno
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from edged.capture.v4l2 import abi
from edged.capture.v4l2.device import Device
from edged.capture.v4l2.faults import fault, is_fault
from edged.errors import SourceMisconfigured

ControlValue = int | str | bool

_NUMBERS = (abi.CTRL_TYPE_INTEGER, abi.CTRL_TYPE_BITMASK)
_MENUS = (abi.CTRL_TYPE_MENU, abi.CTRL_TYPE_INTEGER_MENU)
_SETTABLE = (*_NUMBERS, *_MENUS, abi.CTRL_TYPE_BOOLEAN, abi.CTRL_TYPE_BUTTON)
_CONTROLS_MAX = 1000  # a driver that never ends its list must not hang us


@dataclass(frozen=True, slots=True)
class Control:
    """One setting, as struct v4l2_queryctrl tells of it."""

    id: int
    name: str  # as v4l2-ctl spells it: power_line_frequency
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


def list_controls(device: Device) -> list[Control]:
    """List what can be set at a camera, in the driver's order. Raises SourceError."""
    return [_control(device, query) for query in _queries(device) if query.type in _SETTABLE]


def set_controls(device: Device, wanted: Mapping[str, ControlValue]) -> None:
    """Set controls by their names; a control that waits for another one of them is set after it.

    Raises SourceMisconfigured, which lists every mistake, and then nothing was set; and SourceError.
    """
    if not wanted:
        return
    known = {control.name: control for control in list_controls(device)}
    mistakes = [mistake for name, value in wanted.items() if (mistake := _mistake(known, name, value))]
    if mistakes:
        raise _misconfigured(device, mistakes)
    waiting = {name: (known[normalised(name)], value) for name, value in wanted.items()}
    while waiting:
        ready = [name for name, (control, _) in waiting.items() if not _flags(device, control) & abi.CTRL_FLAG_INACTIVE]
        if not ready:
            raise _misconfigured(
                device, [f"{name} has no effect while another control is in its way" for name in waiting]
            )
        refused = [refused for name in ready if (refused := _set(device, name, *waiting.pop(name)))]
        if refused:
            raise _misconfigured(device, refused)


def _mistake(known: Mapping[str, Control], name: str, value: ControlValue) -> str | None:
    control = known.get(normalised(name))
    if control is None:
        near = difflib.get_close_matches(normalised(name), known, n=1)
        meant = f'did you mean "{near[0]}"?' if near else f"there are: {', '.join(known) or 'none'}"
        return f"{name}: no such control; {meant}"
    if control.flags & (abi.CTRL_FLAG_READ_ONLY | abi.CTRL_FLAG_DISABLED):
        return f"{name}: can be read only"
    if control.number_for(value) is None:
        return f"{name}: {value!r} does not fit; it takes {control.choices}"
    return None


def _set(device: Device, name: str, control: Control, value: ControlValue) -> str | None:
    """Set one; return what the driver says against it."""
    try:
        device.ioctl(abi.S_CTRL, abi.ControlValue(id=control.id, value=control.number_for(value)))
    except OSError as error:
        if is_fault(error) and error.errno != errno.EILSEQ:  # which is uvcvideo's word for "not in this state"
            raise fault(error, device.path) from error
        return f"{name}: the camera refused {value!r}: {error.strerror or error}"
    return None


def _misconfigured(device: Device, mistakes: Sequence[str]) -> SourceMisconfigured:
    return SourceMisconfigured(
        f"{device.path} does not take these controls: {'; '.join(mistakes)}",
        hint="Mend them in the configuration. `v4l2-ctl --list-ctrls-menus` shows what the camera has.",
    )


def _flags(device: Device, control: Control) -> int:
    query = abi.QueryControl(id=control.id)
    return int(query.flags) if device.ask(abi.QUERYCTRL, query) else control.flags


def _queries(device: Device) -> Iterator[Any]:
    query = abi.QueryControl(id=abi.CTRL_FLAG_NEXT_CTRL)
    for _ in range(_CONTROLS_MAX):
        if not device.ask(abi.QUERYCTRL, query):
            return
        yield query
        query = abi.QueryControl(id=query.id | abi.CTRL_FLAG_NEXT_CTRL)


def _control(device: Device, query: Any) -> Control:
    menu = {}
    if query.type in _MENUS:
        for index in range(max(query.minimum, 0), min(query.maximum, _CONTROLS_MAX) + 1):
            entry = abi.QueryMenu(id=query.id, index=index)
            if device.ask(abi.QUERYMENU, entry):  # a menu may have gaps
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
