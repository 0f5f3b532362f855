"""Does to a whole box with edged.service what befalls boxes that nobody visits, and prints how it got over it.

    python scripts/laboratory/box.py --kernel DIR --image DIR [--cuts 20] [--json FILE]

The box is QEMU's, booted in full each time, from a disk with a volatile write cache (volatile_file.py, served over
NBD). The model is a tiny one that looks for bright spots: the CPU is emulated. The exit code is 1 when a promise is
broken. Times are wall-clock times of the host.
"""

from __future__ import annotations

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from judge import times
from line import MachineError
from machine import BOOT_S, BootError, Machine
from nbd import served
from report import Report, Row
from service import Service
from session import Session, carried_into
from volatile_file import VolatileFile

_DETECTING_MAX_S = 120.0  # from power to detection, with an emulated CPU
_LONGEST_RUN_S = 5.0  # from detection to the cut
_WATCHDOG_S = 15.0
_OOM_MAX = "40M"
_WARM, _HOT, _NO_READING = 45_000, 80_000, -(2**31)  # thousandths of a degree; inside/zone/zone.c has the last

_CONFIG = """\
data_dir = "/var/lib/edged"
runtime_dir = "/run/edged"
[model]
path = "/opt/bright-spot"
[[camera]]
name = "yard"
source = "/dev/video0"
format = "YUYV"
width_px = 320
height_px = 180
fps = 5
"""
_MODEL = (
    "from pathlib import Path; from edged.testing.ncnn_model import write_bright_spot_model as write;"
    " folder = Path('/opt/bright-spot'); write(folder)"
)
_CAMERA_AT_BOOT = """
echo vivid > /etc/modules-load.d/camera.conf
echo zone > /etc/modules-load.d/zone.conf
echo options vivid n_devs=1 node_types=0x1 > /etc/modprobe.d/camera.conf
"""
_WATCHDOG = """
echo i6300esb > /etc/modules-load.d/watchdog.conf
mkdir -p /etc/systemd/system.conf.d
cp /opt/edged/systemd/system.conf.d/edged.conf /etc/systemd/system.conf.d/
"""


class Box:
    """A machine with a disk of its own, which outlives its boots."""

    def __init__(self, *, kernel: Path, disk: VolatileFile, folder: Path) -> None:
        self._kernel = kernel
        self._disk = disk
        self._folder = folder

    @contextmanager
    def powered(self, *, clock: str | None = None) -> Iterator[Machine]:
        """Boot it; at the end it has no power, and its disk does nothing any more."""
        with (
            served(self._disk, self._folder / "disk.sock") as address,
            Machine(
                kernel=self._kernel,
                disk=address,
                folder=self._folder,
                restore=False,
                clock=clock,
                devices=["i6300esb"],
            ) as machine,
        ):
            yield machine

    def lose_unflushed(self, chance: random.Random) -> int:
        """Let the disk forget what a cut of power takes from its cache; say how many writes were in it."""
        return self._disk.lose_power(chance)


def detects_again(service: Service, *, timeout_s: float = 2 * _DETECTING_MAX_S) -> float:
    """Wait until the running daemon has detected something since it started; return after how long, in seconds."""
    return service.until(lambda one: one.is_detecting(), "detection", timeout_s=timeout_s)


def install(machine: Machine) -> None:
    """Make the machine a box: edged, its camera and its watchdog, all there at the next boot."""
    lab = carried_into(machine)
    machine.check(_CAMERA_AT_BOOT + _WATCHDOG)
    machine.check(f'cd /opt/edged && PYTHONPATH=/opt/edged:/opt/site python3 -c "{_MODEL}"', timeout_s=120.0)
    service = Service(lab)
    service.install(_CONFIG)
    machine.check("systemctl enable edged; sync", timeout_s=120.0)
    machine.check("modprobe -a vivid zone i6300esb; udevadm settle", timeout_s=60.0)
    service.start(timeout_s=240.0)
    detects_again(service)


@dataclass
class Cuts:
    """How a box came back from cuts of power."""

    running_s: list[float] = field(default_factory=list)  # from power to systemd's "running"
    detecting_s: list[float] = field(default_factory=list)  # from power to the first detection
    unflushed: list[int] = field(default_factory=list)  # writes in the disk's cache when it lost power
    repaired: int = 0  # boots before which e2fsck mended more than the journal does
    broken: list[str] = field(default_factory=list)  # what was not as promised
    shown: int = 0  # events that `edged events` has told

    def look(self, machine: Machine, began: float) -> None:
        """Wait until the box that was powered at `began` is at work again, and look at what is left."""
        service = Service(Session(machine))
        state = machine.booted(BOOT_S)
        self.running_s.append(time.monotonic() - began)
        detects_again(service)
        self.detecting_s.append(time.monotonic() - began)
        self.repaired += machine.run("dmesg | grep -q e2fsck:").code == 0
        end, aside, events = service.last_end(), service.damaged(), len(service.events())
        if state != "running" or end != "power" or events < self.shown or aside:
            self.broken.append(f"{state}, last end {end!r}, {events} events after {self.shown}, {aside}")
        self.shown = events

    def tell(self, report: Report) -> None:
        """Add what was found to the report."""
        report.measured["cuts"] = asdict(self)
        report.add(times(f"{len(self.running_s)} cuts of power: running", self.running_s, BOOT_S))
        report.add(times("  detecting", self.detecting_s, _DETECTING_MAX_S))
        found = (
            f"{sum(self.unflushed)} writes in the cache, {self.shown} events; {'; '.join(self.broken) or 'all there'}"
        )
        report.add(Row("  file system repaired at the boot", f"{self.repaired} times"))
        report.add(Row("  what is left", found, "no shown event lost, named power", not self.broken))


def clock_jumps(machine: Machine, service: Service, report: Report) -> None:
    """Set the clock of the running box, ten years on and ten back."""
    kept = []
    for years in (10, -10):
        before = service.detected()
        machine.check(f"date -s '{years:+d} years'")
        service.until(lambda one, before=before: one.detected() > before, "detection after the jump")
        kept.append(service.property("NRestarts"))
    machine.check(f"date -s @{time.time():.0f}")
    report.measured["clock_jumps"] = kept
    report.add(Row("clock set 10 years on, and back", "detection goes on", "no restart", kept == ["0", "0"]))


def out_of_memory(machine: Machine, service: Service, report: Report) -> None:
    """Let the service outgrow its memory."""
    machine.check("swapoff -a; systemctl set-property --runtime edged MemoryMax=" + _OOM_MAX)
    began = time.monotonic()
    service.until(lambda one: one.property("NRestarts") != "0", "the end by OOM", timeout_s=120.0)
    machine.check("systemctl set-property --runtime edged MemoryMax=50%")
    took_s = detects_again(service) + time.monotonic() - began
    seen = machine.run("journalctl -u edged -b -o cat --no-pager | grep -q \"result 'oom-kill'\"").code == 0
    told = f"systemd says {'oom-kill' if seen else 'something else'}, edged {service.last_end()!r}"
    report.measured["oom"] = {"back_s": took_s, "told": told}
    kept = seen and service.last_end() == "oom"
    report.add(Row("memory limit reached", f"{told}; detects again after {took_s:.0f} s", "oom-kill, oom", kept))


def heat(machine: Machine, service: Service, report: Report) -> None:
    """Heat the box, let its sensor fail, and cool it."""
    told = []
    for temp in (_WARM, _HOT, _NO_READING, _WARM):
        machine.check(f"echo {temp} > /sys/module/zone/parameters/temp")
        wanted_c = None if temp == _NO_READING else temp / 1000
        service.until(lambda one, wanted_c=wanted_c: one.temp_c() == wanted_c, f"a temperature of {wanted_c} °C")
        facts = service.said()["machine"]
        told.append((facts["temp_c"], facts["heat"], facts["budget"]))
    report.measured["heat"] = told
    found = ", ".join(f"{temp_c} °C: {word}, {budget:.0%}" for temp_c, word, budget in told)
    kept = told[0][2] == told[-1][2] == 1.0 and told[1][2] < 1.0
    report.add(Row("temperature and budget", found, "less when hot", kept))


def frozen(machine: Machine, service: Service, report: Report) -> None:
    """Freeze the first process: only the hardware can help now."""
    armed = machine.check("systemctl show -P RuntimeWatchdogUSec; wdctl -n -o IDENTITY /dev/watchdog0 || true")
    boot = machine.check("cat /proc/sys/kernel/random/boot_id")
    began = time.monotonic()
    machine.check("sync; kill -SEGV 1")
    machine.wait_until_ready(BOOT_S)
    reset_s = time.monotonic() - began
    anew = machine.check("cat /proc/sys/kernel/random/boot_id") != boot
    detects_again(service)
    back_s = time.monotonic() - began
    report.measured["frozen"] = {"armed": armed, "booted_s": reset_s, "detecting_s": back_s}
    found = f"reset and booted after {reset_s:.0f} s, detects after {back_s:.0f} s"
    report.add(Row("PID 1 frozen, hardware watchdog", found, f"reset after {_WATCHDOG_S:g} s, and back", anew))


def unplug_for_the_next_boot(machine: Machine, service: Service, report: Report) -> None:
    """Take the camera away, and let the disk keep that."""
    machine.check("mv /etc/modules-load.d/camera.conf /root/; systemctl stop edged; sync", timeout_s=60.0)


def without_camera_in_the_past(machine: Machine, service: Service, report: Report) -> None:
    """Look at a box that has no camera and a clock whose battery died 30 years ago, and plug the camera in."""
    machine.booted(BOOT_S)
    year = machine.check("date +%Y").strip()
    service.until(lambda one: "lost" in one.camera_state(), "word of the absent camera", timeout_s=BOOT_S)
    machine.check("modprobe vivid", timeout_s=60.0)
    came_s = detects_again(service)
    restarts = service.property("NRestarts")
    report.measured["without_camera"] = {"year": year, "detecting_s": came_s}
    found = f"starts in {year}, detects {came_s:.1f} s after the camera came, {restarts} restarts"
    report.add(Row("no camera and no clock at boot", found, "waits for the camera", restarts == "0"))


Part = Callable[[Machine, Service, Report], None]


def run(box: Box, report: Report, count: int, chance: random.Random) -> None:
    """All of it, one after the other. Raises MachineError."""
    report.section("A whole box, edged.service on it")
    cuts = Cuts()
    with box.powered() as machine:
        install(machine)
        cuts.shown = len(Service(Session(machine)).events())
        machine.check(f"sleep {chance.uniform(0, _LONGEST_RUN_S):.2f}")
    for left in reversed(range(count)):
        print(f"  {count - left} of {count} cuts", file=sys.stderr, flush=True)
        cuts.unflushed.append(box.lose_unflushed(chance))
        began = time.monotonic()
        with box.powered() as machine:
            cuts.look(machine, began)
            machine.check(f"sleep {chance.uniform(0, _LONGEST_RUN_S):.2f}")
            if not left:
                cuts.tell(report)
                hurt(machine, report, heat, clock_jumps, out_of_memory, frozen, unplug_for_the_next_boot)
    with box.powered(clock="1996-01-01T00:00:00") as machine:
        hurt(machine, report, without_camera_in_the_past)


def hurt(machine: Machine, report: Report, *parts: Part) -> None:
    """Do one thing after the other to a running box; what is cut short is told, and the next goes on."""
    for part in parts:
        try:
            part(machine, Service(Session(machine)), report)
        except (MachineError, LookupError) as error:
            report.add(
                Row(f"{part.__name__} was cut short", str(error).splitlines()[0], "to run to its end", kept=False)
            )
            print(error, file=sys.stderr)


def kept(folder: Path) -> Path:
    """Put what a box leaves that does not boot where it stays, and say where."""
    place = Path(tempfile.mkdtemp(prefix="edged-lab-kept-"))
    for name in ("box.img", "serial.log"):
        shutil.move(folder / name, place)
    return place


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--kernel", type=Path, required=True)
    options.add_argument("--image", type=Path, required=True)
    options.add_argument("--cuts", type=int, default=20, help="at least 1")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--json", type=Path)
    given = options.parse_args()
    report = Report()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="edged-lab-")))
        subprocess.run(["cp", "--sparse=always", given.image / "root.img", folder / "box.img"], check=True)
        disk = stack.enter_context(closing(VolatileFile(folder / "box.img")))
        box = Box(kernel=given.kernel, disk=disk, folder=folder)
        try:
            run(box, report, given.cuts, random.Random(given.seed))
        except MachineError as error:
            report.add(Row("cut short", str(error).splitlines()[0], "to run to its end", kept=False))
            print(error, file=sys.stderr)
            if isinstance(error, BootError):
                print(f"Its disk and its console are kept in {kept(folder)}.", file=sys.stderr)
    report.end(given.json)


if __name__ == "__main__":
    main()
