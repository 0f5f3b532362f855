"""The controls of a camera that never was."""

from __future__ import annotations

import errno
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from edged.testing.v4l2_queue import error

INTEGER, BOOLEAN, MENU, BUTTON, CLASS, BITMASK, INTEGER_MENU = 1, 2, 3, 4, 6, 8, 9
READ_ONLY, INACTIVE = 0x4, 0x10
_NEXT = 0x8000_0000


@dataclass
class FakeControl:
    """One control, in the words of struct v4l2_queryctrl."""

    id: int
    name: str
    type: int = INTEGER
    minimum: int = 0
    maximum: int = 255
    step: int = 1
    value: int = 0
    flags: int = 0
    menu: Mapping[int, str | int] = field(default_factory=dict)
    trouble: int = 0  # the error with which the camera fails to describe it
    inactive_unless: tuple[int, int] | None = None  # another control's id and the value that lets this one work


class FakeControls:
    """Answers the requests about controls, and remembers what was set."""

    def __init__(self, controls: Sequence[FakeControl]) -> None:
        self._controls = {control.id: control for control in sorted(controls, key=lambda control: control.id)}
        self.set: list[tuple[str, int]] = []

    def queryctrl(self, query: Any, now: float) -> None:
        """VIDIOC_QUERYCTRL."""
        control = self._after(query.id & ~_NEXT) if query.id & _NEXT else self._named(query.id)
        if control.trouble:
            raise error(control.trouble)
        query.id, query.type, query.name = control.id, control.type, control.name.encode()
        query.minimum, query.maximum, query.step = control.minimum, control.maximum, control.step
        query.flags = control.flags | (0 if self._is_active(control) else INACTIVE)

    def querymenu(self, query: Any, now: float) -> None:
        """VIDIOC_QUERYMENU."""
        menu = self._named(query.id).menu
        if query.index not in menu:
            raise error(errno.EINVAL)
        entry = menu[query.index]
        data = entry.to_bytes(8, "little", signed=True) if isinstance(entry, int) else entry.encode()
        query.entry[: len(data)] = data

    def g_ctrl(self, answer: Any, now: float) -> None:
        """VIDIOC_G_CTRL."""
        answer.value = self._named(answer.id).value

    def s_ctrl(self, wanted: Any, now: float) -> None:
        """VIDIOC_S_CTRL."""
        control = self._named(wanted.id)
        if control.flags & READ_ONLY or not self._is_active(control):
            raise error(errno.EACCES)
        value = wanted.value
        if control.type == INTEGER:
            steps = round((value - control.minimum) / control.step)  # real drivers say nothing, and cut and round it
            value = min(max(control.minimum + steps * control.step, control.minimum), control.maximum)
        elif control.type != BUTTON and not control.minimum <= value <= control.maximum:
            raise error(errno.ERANGE)
        control.value = wanted.value = value
        self.set.append((control.name, value))

    def _named(self, number: int) -> FakeControl:
        if number not in self._controls:
            raise error(errno.EINVAL)
        return self._controls[number]

    def _after(self, number: int) -> FakeControl:
        for control in self._controls.values():
            if control.id > number:
                return control
        raise error(errno.EINVAL)

    def _is_active(self, control: FakeControl) -> bool:
        if control.inactive_unless is None:
            return True
        other, value = control.inactive_unless
        return self._named(other).value == value
