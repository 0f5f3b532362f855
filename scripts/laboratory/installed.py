"""Holds the service to its promises: installed by scripts/install in a container with a real systemd, and then hurt.

    python scripts/laboratory/installed.py --system DIR --wheels DIR [--times 20] [--json FILE]

Each kind of fault has a container of its own, some at the same time; they share the processor with each other and with
whatever else runs here, so times are upper bounds, and the load is told at the end. The exit code is 1 when a promise
is broken, and 77, with the reason, where no container boots.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from clip import make_clip
from container import CANNOT_RUN, Container, container
from hurt import FAULTS, Lab, crash_loop, fault, hung_disk, stop_and_start
from line import MachineError
from report import Report, Row

ROOT = Path(__file__).parents[2]
_CARRIED = ("edged", "scripts", "systemd", "docs", "configs", "pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE")
_CLIP_S = 300  # longer than anything that is done while it plays
_APT = "DEBIAN_FRONTEND=noninteractive apt-get -qq -y"
_NOT_LOOKED_AT = (
    "-path /proc -o -path /sys -o -path /root -o -path /opt/source -o -path /opt/lab -o -path /srv -o -path /var/log"
)
_FIND = f"find / \\( {_NOT_LOOKED_AT} \\) -prune -o -name '*edged*' -print"
_CONFIG = "/etc/edged/edged.toml"
_SETUP = "edged setup --yes --replace --camera /srv/clip.mp4 --watch person --watch vehicle"

Work = Callable[[], tuple[list[Row], Any]]
"""Hurts a container of its own; returns what to say of it, and all that was measured."""


def install(box: Container, report: Report) -> None:
    """Install as a newcomer would, without a network, and look at what came of it."""
    report.section("Installed by scripts/install, from wheels, without a network")
    box.check("cp -r /opt/source /root/edged")
    began = time.monotonic()
    box.check(_install("--with hardware-watchdog --with journal"), timeout_s=600.0)
    report.add(Row("installed", f"in {time.monotonic() - began:.0f} s"))
    _see(box, report, "started, no camera plugged in", "systemctl is-active --quiet edged", "active")
    exposure = box.check("systemd-analyze security --no-pager edged | tail -1").split("service: ")[-1].split()[0]
    report.add(Row("systemd-analyze security", exposure, "at most 1.5", float(exposure) <= 1.5))
    _see(box, report, "a configuration from answers", f"{_SETUP} && systemctl restart edged", "accepted")
    _reload(box, report)
    box.check(f"echo '# mine' >> {_CONFIG}")
    again = f"{_install()} && grep -q '# mine' {_CONFIG}"
    _see(box, report, "installed once more", again, "keeps the configuration")
    box.check(f"echo 'nonsense = 1' >> {_CONFIG}")
    refused = f"! {{ {_install()}; }} && systemctl is-active --quiet edged"
    _see(box, report, "an update that refuses the configuration", refused, "the old one goes on")
    box.check(f"sed -i '/nonsense/d' {_CONFIG}; useradd --groups edged reader")
    _see(box, report, "edged status, by the group edged", "su reader -c 'edged status'", "readable")
    _see(box, report, "edged events, by the group edged", "su reader -c 'edged events --limit 1'", "readable")


def _reload(box: Container, report: Report) -> None:
    """Change the configuration of the running service: for good, and with a mistake."""
    pid = "systemctl show edged -P MainPID"
    before = box.check(pid).strip()
    for what, change, says in (
        ("systemctl reload", 's/, "vehicle"//', "is in force"),
        ("systemctl reload, with a mistake", "$ a nonsense = 1", "is refused, the old one goes on"),
    ):
        told = f"timeout 30 bash -c 'until journalctl -u edged | grep -q \"{says}\"; do sleep 0.2; done'"
        command = f"sed -i '{change}' {_CONFIG}; systemctl reload edged && {told} && [ $({pid}) = {before} ]"
        _see(box, report, what, command, f"{says}, same process")
    box.check(f"sed -i '/nonsense/d' {_CONFIG}; systemctl reload edged")


def _see(box: Container, report: Report, what: str, command: str, promised: str) -> None:
    done = box.run(command, timeout_s=600.0)
    said = (done.output.strip().splitlines() or [""])[-1]
    report.add(Row(what, "so it is" if done.code == 0 else f"exit {done.code}: {said}", promised, done.code == 0))
    if done.code != 0:
        print(done.output, file=sys.stderr)


def package(given: argparse.Namespace, lab: Lab, binds: dict[Path, str], out: Path, report: Report) -> None:
    """Build the Debian package where edged is installed, and install it with apt where nothing of edged ever was."""
    report.section("As a Debian package")
    out.mkdir()
    with lab.box(shared={out: "/srv/out"}) as box:
        _see(box, report, "scripts/build_deb", f"{_offline('build_deb /srv/out')}", "builds it")
    with container(given.system / "root", binds=binds, shared={out: "/srv/out"}) as box:
        _see(box, report, "apt-get install", f"{_APT} install /srv/out/edged_*.deb", "goes well")
        _see(box, report, "the service then", "systemctl is-active --quiet edged", "active")
        _see(box, report, "edged doctor", "edged doctor; [ $? != 1 ]", "says its word")
        _see(box, report, "apt-get purge", f"{_APT} purge edged", "goes well")
        left = box.run(_FIND).output.split()
        report.add(Row("left after it", ", ".join(left) or "nothing", "nothing", not left))


def remove(box: Container, report: Report) -> None:
    """Remove it again."""
    box.check("/usr/lib/edged/uninstall --purge")
    left = box.run(_FIND).output.split()
    report.add(Row("uninstalled with --purge", f"left: {', '.join(left) or 'nothing'}", "nothing", not left))


def _install(options: str = "") -> str:
    return _offline(f"install {options}")


def _offline(script: str) -> str:
    return f"cd /root/edged && PIP_NO_INDEX=1 PIP_FIND_LINKS=/opt/wheels ./scripts/{script}"


def _add(report: Report, name: str, work: Work) -> None:
    try:
        rows, tries = work()
    except MachineError as error:
        rows, tries = [Row(name, str(error).splitlines()[-1], "to run to its end", kept=False)], str(error)
        print(error, file=sys.stderr)
    report.measured[name] = tries
    for row in rows:
        report.add(row)


def _source(folder: Path) -> Path:
    """Copy what a clone would hold."""
    for name in _CARRIED:
        path = ROOT / name
        if path.is_dir():
            shutil.copytree(path, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(path, folder)
    return folder


def _lanes(lab: Lab, times: int) -> Iterator[dict[str, Work]]:
    """What is done at the same time: a hang is mostly waiting, while each restart wants a processor for itself."""
    quick = {name: partial(fault, lab, name, times) for name, hurt in FAULTS.items() if not hurt.is_hang}
    yield quick | {"crash-loop": partial(crash_loop, lab, times)}
    for name, hurt in FAULTS.items():
        if hurt.is_hang:
            yield {name: partial(fault, lab, name, times)}
    yield {"hung-disk": partial(hung_disk, lab, times)}


def _one_after_another(report: Report, parts: Mapping[str, Work]) -> None:
    for name, work in parts.items():
        _add(report, name, work)


def run(given: argparse.Namespace, work: Path, report: Report) -> None:
    """All of it, in the folder `work`."""
    (work / "source").mkdir()
    make_clip(work / "clip.mp4", _CLIP_S)
    binds = {
        _source(work / "source"): "/opt/source",
        given.wheels: "/opt/wheels",
        ROOT / "scripts/laboratory/inside": "/opt/lab",
        work / "clip.mp4": "/srv/clip.mp4",
    }
    root = work / "root"
    subprocess.run(["cp", "-a", given.system / "root", root], check=True)  # devices and all
    with container(root, binds=binds, keep=True) as box:
        install(box, report)
    lab = Lab(root, binds=binds)
    report.section(f"Faults, {given.times} times each")
    lanes = list(_lanes(lab, given.times))
    with ThreadPoolExecutor(len(lanes)) as pool:
        list(pool.map(partial(_one_after_another, report), lanes))
    report.section("Without a fault, alone")
    _add(report, "stop-and-start", partial(stop_and_start, lab, given.times))
    with lab.box() as box:
        remove(box, report)
    package(given, lab, binds, work / "package", report)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--system", type=Path, required=True)
    options.add_argument("--wheels", type=Path, required=True)
    options.add_argument("--times", type=int, default=20, help="how often to inject each fault (%(default)s)")
    options.add_argument("--json", type=Path)
    given = options.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that containers end, too
    try:
        with container(given.system / "root", binds={}):
            pass
    except MachineError as error:
        print(f"The service cannot be tried here: {error}", file=sys.stderr)
        sys.exit(CANNOT_RUN)
    report = Report()
    with tempfile.TemporaryDirectory(prefix="edged-lab-service-", dir=given.system.parent) as work:
        run(given, Path(work), report)
    report.measured["load"] = os.getloadavg()
    load = f"{os.getloadavg()[2]:.1f} on {os.cpu_count()} processors"  # over the last 15 minutes
    report.end(given.json, note=f", load {load}")


if __name__ == "__main__":
    main()
