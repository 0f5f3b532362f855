"""A line of `edged cameras --json`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from edged.capture.cameras import FoundCamera
from edged.capture.v4l2 import abi
from edged.capture.v4l2.describe import ControlReading, OfferedFormat
from edged.capture.v4l2.mode import WantedMode

_TYPES = {
    abi.CTRL_TYPE_INTEGER: "integer",
    abi.CTRL_TYPE_BOOLEAN: "boolean",
    abi.CTRL_TYPE_MENU: "menu",
    abi.CTRL_TYPE_BUTTON: "button",
    abi.CTRL_TYPE_BITMASK: "bitmask",
    abi.CTRL_TYPE_INTEGER_MENU: "integer menu",
}


def record(camera: FoundCamera, mode: WantedMode | None) -> dict[str, Any]:
    """Everything about one device, as JSON has it; `mode` is the one that suits the model."""
    node, offers = camera.node, camera.offers
    return {
        "device": str(node.path),
        "stable_path": str(camera.stable_path),
        "links": [str(link) for link in node.links],
        "name": node.name,
        "driver": node.driver or (offers.driver if offers else ""),
        "bus": node.bus,
        "index": node.index,
        "usb": None if node.usb is None else asdict(node.usb),
        "may_open": node.may_open,
        "takes_pictures": camera.takes_pictures,
        "trouble": None if camera.trouble is None else camera.trouble.message,
        "formats": [_format_record(form) for form in offers.formats] if offers else [],
        "controls": [_control_record(reading) for reading in offers.controls] if offers else [],
        "suited": None
        if mode is None
        else {"format": mode.fourcc, "width_px": mode.width_px, "height_px": mode.height_px, "fps": mode.fps},
    }


def _format_record(form: OfferedFormat) -> dict[str, Any]:
    sizes = [{**asdict(offered.size), "fps": offered.rates} for offered in form.sizes]
    return {"fourcc": form.fourcc, "is_read": form.is_read, "sizes": sizes}


def _control_record(reading: ControlReading) -> dict[str, Any]:
    control = reading.control
    return {
        "name": control.name,
        "type": _TYPES[control.type],
        "minimum": control.minimum,
        "maximum": control.maximum,
        "step": control.step,
        "default": control.default,
        "value": reading.value,
        "menu": {str(number): word for number, word in control.menu.items()},
    }
