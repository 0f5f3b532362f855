"""The video devices of this machine, as sysfs knows them: nothing is opened.

The attributes are those of the kernel's drivers/media/v4l2-core/v4l2-dev.c (name, index) and drivers/usb/core/sysfs.c
(idVendor, idProduct, serial, busnum, devnum). The links below /dev/v4l are made by udev's 60-persistent-v4l.rules.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_LINK_FOLDERS = ("by-id", "by-path")  # below /dev/v4l


@dataclass(frozen=True, slots=True)
class UsbDevice:
    """The USB device that a video node belongs to."""

    vendor: str  # four hex digits
    product: str  # four hex digits
    serial: str | None  # what the maker gave it; many give none, or the same to all
    port: str  # bus, then the way through the hubs: "1-2.4"
    interface: int  # which function of the device: one device may hold two cameras
    bus_number: int  # of /dev/bus/usb/BUS/DEVICE, which changes at every plugging in
    device_number: int


@dataclass(frozen=True, slots=True)
class VideoNode:
    """One /dev/videoN. A camera often has several; which of them take pictures only the driver can tell."""

    path: Path  # /dev/video0
    name: str  # as the driver calls the camera
    index: int  # of this node among those of its camera
    driver: str  # "uvcvideo"; empty for a device that no bus carries, such as a loopback
    bus: str  # "usb", "platform", "pci"; "virtual" where there is none
    place: str  # where it is plugged in: the device's path below /sys/devices; empty where it has none
    usb: UsbDevice | None
    links: tuple[Path, ...]  # stable names below /dev/v4l, by-id before by-path
    may_open: bool  # whether this user may read and write it

    @property
    def where(self) -> str:
        """Where it is plugged in, for people."""
        return f"usb {self.usb.port}" if self.usb else self.place.rpartition("/")[2] or self.bus


def video_nodes(root: Path = Path("/")) -> list[VideoNode]:
    """List the video devices below `root`/sys and `root`/dev by number; none where there is no sysfs.

    A device that goes away meanwhile is left out.
    """
    links = _links_by_node(root / "dev" / "v4l")
    found = []
    for entry in sorted(_children(root / "sys/class/video4linux"), key=_number):
        path = root / "dev" / entry.name
        if entry.name.startswith("video") and path.exists():
            found.append(_node(path, entry, links.get(path.resolve(), ()), root))
    return found


def node_at(path: Path, nodes: Sequence[VideoNode]) -> VideoNode | None:
    """Of `nodes`, the one that `path` leads to, itself or as a link."""
    target = _resolved(path)
    return next((node for node in nodes if _resolved(node.path) == target), None)


def plugged_in_s(node: VideoNode, root: Path = Path("/")) -> float:
    """Return for how long, in s, a USB camera has been plugged in; 0 for any other, and where the kernel does not say.

    Source: power/connected_duration in the kernel's Documentation/ABI/testing/sysfs-bus-usb.
    """
    device = (root / "sys/devices" / node.place).parent
    return _whole(_text(device / "power/connected_duration"), base=10) / 1000 if node.usb else 0.0


def _node(path: Path, entry: Path, links: Sequence[Path], root: Path) -> VideoNode:
    device = entry / "device"
    place = ""
    if device.exists():
        place = os.path.relpath(_resolved(device), _resolved(root / "sys/devices"))
    return VideoNode(
        path=path,
        name=_text(entry / "name") or entry.name,
        index=_whole(_text(entry / "index"), base=10),
        driver=_target_name(device / "driver"),
        bus=_target_name(device / "subsystem") or "virtual",
        place=place,
        usb=_usb(_resolved(device)) if place else None,
        links=tuple(links),
        may_open=os.access(path, os.R_OK | os.W_OK, effective_ids=True),
    )


def _usb(interface: Path) -> UsbDevice | None:
    """The USB device of an interface's folder, which is its parent; None for another bus."""
    device = interface.parent
    vendor, product = _text(device / "idVendor"), _text(device / "idProduct")
    if not vendor or not product:
        return None
    return UsbDevice(
        vendor=vendor,
        product=product,
        serial=_text(device / "serial") or None,
        port=device.name,
        interface=_whole(_text(interface / "bInterfaceNumber"), base=16),
        bus_number=_whole(_text(device / "busnum"), base=10),
        device_number=_whole(_text(device / "devnum"), base=10),
    )


def _links_by_node(folder: Path) -> Mapping[Path, Sequence[Path]]:
    links: dict[Path, list[Path]] = defaultdict(list)
    for name in _LINK_FOLDERS:
        for link in sorted(_children(folder / name)):
            links[_resolved(link)].append(link)
    return links


def _children(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:  # not there, or gone
        return []


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # a loop of links
        return path


def _text(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8", "replace").strip()
    except OSError:  # the attribute does not exist for this device, or the device is gone
        return ""


def _target_name(link: Path) -> str:
    return _resolved(link).name if link.is_symlink() else ""


def _whole(text: str, *, base: int) -> int:
    try:
        return int(text, base)
    except ValueError:
        return 0


def _number(entry: Path) -> tuple[int, str]:
    return int(re.sub(r"\D", "", entry.name) or 0), entry.name
