"""A machine's /sys and /dev in a folder, with cameras to plug in and out, and sensors.

The tree is laid out as the kernel and udev lay it out; only the device nodes are plain files.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

_CONTROLLER = "pci0000:00/0000:00:14.0"


class FakeMachine:
    """Has no camera until one is plugged in."""

    def __init__(self, root: Path) -> None:
        """`root` is an empty folder; what is under test gets it in the place of /."""
        self.root = root
        self.dev = root / "dev"
        self._class = root / "sys/class/video4linux"
        self._class.mkdir(parents=True)
        (root / "sys/devices").mkdir()
        self.dev.mkdir()
        self._devices_seen = 1

    def plug_usb(
        self,
        *,
        port: str = "1-1",
        name: str = "HD Webcam",
        vendor: str = "046d",
        product: str = "0825",
        serial: str | None = None,
        first: int | None = None,
        nodes: int = 2,
    ) -> Path:
        """Plug a UVC camera into `port` (bus, then the way through the hubs); return its first node.

        A real one has two nodes: one for pictures, one for what the camera says of them. They get the lowest numbers
        that are free, or those from `first` on.
        """
        usb = self.root / f"sys/devices/{_CONTROLLER}/usb{port[0]}" / port
        interface = usb / f"{port}:1.0"
        self._devices_seen += 1
        attributes = {"idVendor": vendor, "idProduct": product, "busnum": port[0], "devnum": str(self._devices_seen)}
        for key, value in {**attributes, **({"serial": serial} if serial is not None else {})}.items():
            _write(usb / key, value)
        _write(interface / "bInterfaceNumber", "00")
        self._belongs(interface, bus="usb", driver="uvcvideo")
        _write(self.dev / f"bus/usb/{int(port[0]):03d}/{self._devices_seen:03d}", "")
        words = "_".join([vendor, re.sub(r"\W", "_", name), *([serial] if serial else [])])
        path = f"pci-{_CONTROLLER.partition('/')[2]}-usb-0:{port.partition('-')[2]}:1.0"
        return self._add_nodes(name, interface, nodes, first, links=(f"by-id/usb-{words}", f"by-path/{path}"))

    def plug_platform(
        self, device: str = "vivid.0", *, name: str = "vivid", driver: str = "vivid", first: int | None = None
    ) -> Path:
        """Bind a driver to a camera that is part of the board; return its node."""
        folder = self.root / "sys/devices/platform" / device
        self._belongs(folder, bus="platform", driver=driver)
        return self._add_nodes(name, folder, 1, first, links=(f"by-path/platform-{device}",))

    def plug_loopback(self, name: str = "Dummy video device (0x0000)", *, first: int | None = None) -> Path:
        """Make a device that no bus carries; return its node."""
        return self._add_nodes(name, None, 1, first, links=())

    def let_pass(self, node: Path, seconds: float) -> None:
        """Let the USB camera of `node` have been plugged in for so long."""
        usb = (self._class / node.name).resolve().parents[2]
        _write(usb / "power/connected_duration", str(round(1000 * seconds)))

    def unplug(self, node: Path) -> None:
        """Take the camera of `node` away, with its other nodes, its links and all."""
        target = (self._class / node.name).resolve()
        holder = target.parents[1]
        gone = [target] if holder.name == "virtual" else list((holder / "video4linux").iterdir())
        for entry in gone:
            (self._class / entry.name).unlink()
            self._unlink_all(self.dev / entry.name)
        shutil.rmtree(target if holder.name == "virtual" else _device_of(holder))

    def _belongs(self, folder: Path, *, bus: str, driver: str) -> None:
        for link, target in (("subsystem", f"bus/{bus}"), ("driver", f"bus/{bus}/drivers/{driver}")):
            (self.root / "sys" / target).mkdir(parents=True, exist_ok=True)
            folder.mkdir(parents=True, exist_ok=True)
            _link(folder / link, self.root / "sys" / target)

    def _add_nodes(
        self, name: str, device: Path | None, count: int, first: int | None, *, links: tuple[str, ...]
    ) -> Path:
        numbers = list(range(first, first + count)) if first is not None else self._free_numbers(count)
        for index, number in enumerate(numbers):
            home = (device or self.root / "sys/devices/virtual") / "video4linux" / f"video{number}"
            _write(home / "name", name)
            _write(home / "index", str(index if device else 0))
            if device is not None:
                _link(home / "device", device)
            _link(self._class / home.name, home)
            _write(self.dev / home.name, "")
            for link in links:
                _link(self.dev / "v4l" / f"{link}-video-index{index}", self.dev / home.name)
        return self.dev / f"video{numbers[0]}"

    def _free_numbers(self, count: int) -> list[int]:
        return [number for number in range(64) if not (self._class / f"video{number}").is_symlink()][:count]

    def _unlink_all(self, node: Path) -> None:
        for link in self.dev.glob("v4l/*/*"):
            if link.resolve() == node:
                link.unlink()
        node.unlink()


def _device_of(holder: Path) -> Path:
    """The USB device of an interface; a device on another bus is its own."""
    return holder.parent if (holder.parent / "idVendor").exists() else holder


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"{text}\n" if text else "")


def _link(link: Path, target: Path) -> None:
    link.parent.mkdir(parents=True, exist_ok=True)
    if link.is_symlink():  # udev gives a name that two devices claim to the last one
        link.unlink()
    link.symlink_to(os.path.relpath(target, link.parent))


class FakeBoard:
    """A board's sensors: what lies below /sys of its heat and power, and its vcgencmd. It has none until one is added.

    `firmware` is what vcgencmd prints, by its word; ask() is a vcgencmd to hand over, and `asked` what it was asked.
    A sensor set to None does not answer, as one whose driver fails.
    """

    def __init__(self, root: Path) -> None:
        """`root` is an empty folder; what is under test gets it in the place of /."""
        self.root = root
        self.firmware: dict[str, str] = {}
        self.asked: list[str] = []
        self._zones: dict[str, Path] = {}
        self._chips = 0

    def set_zone(self, kind: str, temp_c: float | None) -> None:
        """Add a thermal zone, or change what it says."""
        home = self._zones.setdefault(kind, self.root / f"sys/class/thermal/thermal_zone{len(self._zones)}")
        _write(home / "type", kind)
        _write_sensor(home / "temp", None if temp_c is None else round(temp_c * 1000))

    def add_hwmon(self, name: str, **values: object) -> Path:
        """Add a chip with its files, such as in1_label="VDD_IN"; return its folder."""
        home = self.root / f"sys/class/hwmon/hwmon{self._chips}"
        self._chips += 1
        _write(home / "name", name)
        for file, value in values.items():
            _write_sensor(home / file, value)
        return home

    def set_energy(self, energy_uj: int | None, *, range_uj: int = 262_143_328_850) -> None:
        """Set the counter of an x86 processor's energy."""
        home = self.root / "sys/class/powercap/intel-rapl:0"
        _write(home / "name", "package-0")
        _write_sensor(home / "energy_uj", energy_uj)
        _write_sensor(home / "max_energy_range_uj", range_uj)

    def ask(self, words: Sequence[str]) -> str | None:
        """Answer as vcgencmd does."""
        _, word = words
        self.asked.append(word)
        return self.firmware.get(word)


def _write_sensor(file: Path, value: object) -> None:
    """Write a sensor's value; one that does not answer is a folder, since to read that is an error, for root too."""
    if file.is_dir():
        file.rmdir()
    if value is None:
        file.unlink(missing_ok=True)
        file.mkdir(parents=True)
    else:
        _write(file, str(value))
