"""Sets a camera's controls as a person wrote them down."""

from __future__ import annotations

import difflib
import errno
import logging
from collections.abc import Mapping, Sequence

from edged.capture.v4l2 import abi, structures
from edged.capture.v4l2.controls import Control, ControlValue, list_controls, normalised
from edged.capture.v4l2.device import Device
from edged.capture.v4l2.faults import fault, is_fault, undescribed
from edged.errors import SourceMisconfigured

_log = logging.getLogger(__name__)


def set_controls(device: Device, wanted: Mapping[str, ControlValue]) -> None:
    """Set controls by their names; a control that waits for another one of them is set after it.

    Raises SourceMisconfigured, which lists every mistake, and then nothing was set; and SourceError.
    """
    if not wanted:
        return
    listed = list_controls(device)
    known = {control.name: control for control in listed.controls}
    missing = [name for name in wanted if normalised(name) not in known]
    if missing and listed.trouble is not None:
        raise undescribed(listed.trouble, device.path, missing) from listed.trouble
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
    setting = structures.ControlValue(id=control.id, value=control.number_for(value))
    asked = setting.value
    try:
        device.ioctl(abi.S_CTRL, setting)
    except OSError as error:
        if is_fault(error) and error.errno != errno.EILSEQ:  # which is uvcvideo's word for "not in this state"
            raise fault(error, device.path) from error
        return f"{name}: the camera refused {value!r}: {error.strerror or error}"
    if setting.value != asked and control.type != abi.CTRL_TYPE_BUTTON:
        _log.warning("%s was asked for %s = %d, and has set %d", device.path, control.name, asked, setting.value)
    return None


def _misconfigured(device: Device, mistakes: Sequence[str]) -> SourceMisconfigured:
    return SourceMisconfigured(
        f"{device.path} does not take these controls: {'; '.join(mistakes)}",
        hint="Mend them in the configuration. `edged cameras` shows what the camera has.",
    )


def _flags(device: Device, control: Control) -> int:
    query = structures.QueryControl(id=control.id)
    return int(query.flags) if device.ask(abi.QUERYCTRL, query) else control.flags
