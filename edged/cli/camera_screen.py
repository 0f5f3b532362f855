"""The screen of `edged cameras`."""

from __future__ import annotations

import textwrap
from collections import defaultdict
from collections.abc import Iterator, Sequence

from edged.capture.cameras import FoundCamera
from edged.capture.v4l2 import abi
from edged.capture.v4l2.describe import CameraDescription, ControlReading, OfferedFormat
from edged.capture.v4l2.mode import WantedMode
from edged.capture.v4l2.offers import SizeRange
from edged.cli.camera_table import camera_table, name_for
from edged.detect.spec import ModelSpec
from edged.domain.words import counted

_LABEL_COLUMNS = 10
_NOT_READ = (
    "edged reads none of its formats. A camera on a ribbon cable (CSI) needs libcamera in front of it: docs/cameras.md."
)

Row = tuple[str, str]
Found = Sequence[tuple[FoundCamera, WantedMode | None]]


def paragraphs(found: Found, spec: ModelSpec, *, columns: int) -> Iterator[str]:
    """Each camera with the mode that suits it, then its table; last the devices that take no pictures."""
    names: set[str] = set()
    for camera, mode in found:
        if camera.takes_pictures:
            yield "\n".join([_heading(camera), *_aligned(_rows(camera), columns)])
        if camera.offers is not None and (mode is not None or not _is_unreadable(camera.offers)):
            name = name_for(camera, names)
            names.add(name)
            size = f"{spec.input.width_px} × {spec.input.height_px}"
            yield f"  for {spec.name} ({size}), in the configuration file:"
            yield camera_table(name, camera, mode)
    others = [f"{camera.node.path} ({camera.node.name})" for camera, _ in found if not camera.takes_pictures]
    if others:
        yield textwrap.fill(
            f"Video devices that take no pictures: {', '.join(others)}", columns, break_on_hyphens=False
        )


def _heading(camera: FoundCamera) -> str:
    node = camera.node
    usb = [f"{node.usb.vendor}:{node.usb.product}"] if node.usb else []
    serial = [f"serial number {node.usb.serial}"] if node.usb and node.usb.serial else []
    driver = node.driver or (camera.offers.driver if camera.offers else "")
    return f"{node.path}: {node.name} ({', '.join(filter(None, [driver, node.where, *usb, *serial]))})"


def _rows(camera: FoundCamera) -> Iterator[Row]:
    for link in camera.node.links:
        yield "names", str(link)
    if camera.trouble is not None:
        yield "trouble", camera.trouble.message
        yield "trouble", camera.trouble.hint
    if camera.offers is not None:
        for form in camera.offers.formats:
            for text in _format_lines(form):
                yield form.fourcc, text
        if _is_unreadable(camera.offers):
            yield "trouble", _NOT_READ
        for reading in camera.offers.controls:
            yield "controls", _control_text(reading)


def _aligned(rows: Iterator[Row], columns: int) -> Iterator[str]:
    """Indent the rows under their labels; a label is written once, and paths are never broken."""
    before = ""
    indent = " " * (_LABEL_COLUMNS + 2)
    for label, text in rows:
        first = f"  {'' if label == before else label:<{_LABEL_COLUMNS}}"
        wrapped = textwrap.wrap(
            text,
            max(columns, 60),
            initial_indent=first,
            subsequent_indent=f"{indent}  ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        yield from wrapped
        before = label


def _is_unreadable(offers: CameraDescription) -> bool:
    return not any(form.is_read for form in offers.formats)


def _format_lines(form: OfferedFormat) -> Iterator[str]:
    """The sizes of a format, those with the same rates together; of one that is of no use, only how many."""
    if not form.is_read:
        yield f"edged does not read this format ({counted(len(form.sizes) or 'no', 'size')})"
        return
    sizes_by_rates: dict[tuple[float, ...], list[str]] = defaultdict(list)
    for offered in form.sizes:
        sizes_by_rates[offered.rates].append(_size_text(offered.size))
    for rates, sizes in sizes_by_rates.items():
        at = f" at {', '.join(f'{rate:.4g}' for rate in rates)} fps" if rates else ""
        yield f"{', '.join(sizes)}{at}"
    if not form.sizes:
        yield "sizes that the driver does not list"


def _size_text(size: SizeRange) -> str:
    smallest = f"{size.min_width} × {size.min_height}"
    largest = f"{size.max_width} × {size.max_height}"
    return smallest if smallest == largest else f"{smallest} to {largest}"


def _control_text(reading: ControlReading) -> str:
    control = reading.control
    if control.type == abi.CTRL_TYPE_BUTTON:
        return f"{control.name}: {control.choices}"
    now = "cannot be read" if reading.value is None else f"now {_setting(reading, reading.value)}"
    return f"{control.name}: {control.choices}; default {_setting(reading, control.default)}, {now}"


def _setting(reading: ControlReading, value: int) -> str:
    if reading.control.type == abi.CTRL_TYPE_BOOLEAN:
        return "true" if value else "false"
    return f'"{reading.control.menu[value]}"' if value in reading.control.menu else str(value)
