"""Hurts an installed edged, and judges how it gets over it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from container import Container, container
from line import MachineError
from report import Row

WATCHDOG_S = 30.0
BACK_WITHIN_S = 10.0
START_WITHIN_S = 3.0
STOP_WITHIN_S = 2.0
_STARTS = 5  # at least
_DISK_HANGS_FOR_S = 50.0  # longer than it may take to end edged


@dataclass(frozen=True)
class Fault:
    """One way to hurt it; `says` is what the log of the next run must hold."""

    what: str
    says: str
    is_hang: bool = False  # then only the watchdog can notice it


FAULTS = {
    "stopped": Fault("SIGSTOP", "ended by watchdog", is_hang=True),
    "hung-inference": Fault("an inference that never returns", "ended by watchdog", is_hang=True),
    "hung-capture": Fault("a read that never returns", "ended by watchdog", is_hang=True),
    "dead-capture": Fault("a capture thread that dies", "ended by crash"),
    "killed": Fault("SIGKILL", "ended by killed"),
    "segfault": Fault("a segmentation fault", "ended by crash"),
    "out-of-memory": Fault("memory without end", "memory ran out"),
}

_LAB_UNIT = """\
[Service]
ExecStart=
ExecStart=/opt/edged/bin/python /opt/lab/faulty_edged.py /etc/edged/edged.toml
MemoryMax=400M
"""


class Lab:
    """Containers with edged installed."""

    def __init__(self, root: Path, *, binds: Mapping[Path, str]) -> None:
        self._root = root
        self._binds = binds

    @contextmanager
    def box(self, *, faulty: bool = False, shared: Mapping[Path, str] | None = None) -> Iterator[Container]:
        """Boot one; `faulty` is with levers, `shared` are host folders to write in."""
        with container(self._root, binds=self._binds, shared=shared or {}) as booted:
            if faulty:
                folder = "/etc/systemd/system/edged.service.d"
                booted.check(f"mkdir -p {folder}; cat > {folder}/laboratory.conf << 'END'\n{_LAB_UNIT}END")
                booted.check("systemctl daemon-reload; systemctl restart edged", timeout_s=200.0)
            yield booted


def do(box: Container, *words: object) -> dict[str, Any]:
    """Run inside/fault.py in the container."""
    done = box.run(f"python3 -I /opt/lab/fault.py {' '.join(map(str, words))}", timeout_s=400.0)
    if done.code != 0:
        raise MachineError(f"fault.py {words} ended with {done.code}:\n{done.output}")
    found: dict[str, Any] = json.loads(done.output.splitlines()[-1])
    return found


def fault(lab: Lab, name: str, times: int) -> tuple[list[Row], Any]:
    """One kind of fault, again and again."""
    hurt = FAULTS[name]
    limit = BACK_WITHIN_S + (WATCHDOG_S if hurt.is_hang else 0.0)
    with lab.box(faulty=True) as box:
        tries = [do(box, name) for _ in range(times)]
    if name == "out-of-memory":  # it takes a while until there is none left
        tries = [{**found, "back_s": _difference(found["back_s"], found.get("ended_s"))} for found in tries]
    return [_judge(hurt.what, tries, limit, hurt.says)], tries


def _judge(what: str, tries: list[dict[str, Any]], limit: float, says: str) -> Row:
    backs = [float("inf") if found["back_s"] is None else found["back_s"] for found in tries]
    told = sum(says in found["log"] for found in tries)
    kept = max(backs) <= limit and told == len(tries)
    came = sum(back < float("inf") for back in backs)
    after = f"after {statistics.median(backs):.1f} s, {max(backs):.1f} s at most"
    found = f"{came} of {len(tries)} times, {after}, with the reason {told} times"
    return Row(what, found, f"{limit:.0f} s, with the reason", kept)


def _difference(later_s: float | None, earlier_s: float | None) -> float | None:
    return None if later_s is None or earlier_s is None else later_s - earlier_s


def crash_loop(lab: Lab, times: int) -> tuple[list[Row], Any]:
    """Crash at eight starts in a row: systemd must not give up."""
    with lab.box(faulty=True) as box:
        tries = [do(box, "crash-loop") for _ in range(times)]
    return [_judge("crashes at eight starts in a row", tries, BACK_WITHIN_S, "ended by crash")], tries


def stop_and_start(lab: Lab, times: int) -> tuple[list[Row], Any]:
    """Stop and start without any fault, as it is installed."""
    with lab.box() as box:
        tries = [do(box, "stop-and-start") for _ in range(max(times, _STARTS))]
    stops, starts = [found["stop_s"] for found in tries], [found["start_s"] or float("inf") for found in tries]
    cpu = f", {min(found['start_cpu_s'] for found in tries):.1f} s of CPU"
    stopped = _times("systemctl stop", stops, STOP_WITHIN_S)
    return [stopped, _times("systemctl start to the first detection", starts, START_WITHIN_S, cpu)], tries


def _times(what: str, seconds: list[float], limit: float, more: str = "") -> Row:
    """Judge by the best: there is no fault, so what a try takes longer is other work on this host."""
    found = f"{min(seconds):.1f} s at best, {max(seconds):.1f} s at most{more}"
    return Row(what, found, f"{limit:.0f} s on a machine at rest", min(seconds) <= limit)


def hung_disk(lab: Lab, times: int) -> tuple[list[Row], Any]:
    """Let the disk below /var/lib/edged stop answering for a while: bindfs, stopped by a signal."""
    what = f"a disk that hangs for {_DISK_HANGS_FOR_S:.0f} s"
    if shutil.which("bindfs") is None:
        return [Row(what, "not tried: bindfs is not installed")], None
    with _slow_disk() as (disk, server), lab.box(shared={disk: "/var/lib/edged"}) as box:
        tries = [_hang_disk(box, server) for _ in range(times)]
    row = _judge(what, tries, BACK_WITHIN_S, "ended by watchdog")
    ended = [found["ended_s"] for found in tries]
    limit = BACK_WITHIN_S + WATCHDOG_S
    told = ", ".join("not before it answered" if seconds is None else f"{seconds:.0f} s" for seconds in ended)
    kept = all(seconds is not None and seconds <= limit for seconds in ended)
    return [row, Row("  ended while it hung after", told, f"{limit:.0f} s", kept)], tries


def _hang_disk(box: Container, server: subprocess.Popen[bytes]) -> dict[str, Any]:
    """Times are from the hang to the end of the process, and from the disk's first answer to detection."""
    pid, began = do(box, "pid")["pid"], time.monotonic()
    server.send_signal(signal.SIGSTOP)
    try:
        gone = do(box, "gone", pid)
        time.sleep(max(0.0, _DISK_HANGS_FOR_S - (time.monotonic() - began)))
    finally:
        server.send_signal(signal.SIGCONT)
    back = do(box, "back", pid)
    return {"ended_s": gone["waited_s"], "back_s": back["waited_s"], "log": gone["log"] + back["log"]}


@contextmanager
def _slow_disk() -> Iterator[tuple[Path, subprocess.Popen[bytes]]]:
    """A folder that another one is seen through, and the process that shows it: stopped, the disk hangs."""
    with tempfile.TemporaryDirectory(prefix="edged-lab-disk-") as folder:
        behind, disk = Path(folder) / "behind", Path(folder) / "disk"
        behind.mkdir()
        disk.mkdir()
        server = subprocess.Popen(["bindfs", "-f", "-o", "allow_other", str(behind), str(disk)])
        try:
            while not os.path.ismount(disk):
                time.sleep(0.05)
            yield disk, server
        finally:
            server.send_signal(signal.SIGCONT)
            subprocess.run(["umount", "--lazy", str(disk)], check=False)
            server.kill()  # other containers that booted meanwhile hold the mount, and it would wait for them
            server.wait()
