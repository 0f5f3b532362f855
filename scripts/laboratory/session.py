"""A fresh copy of the machine with this edged in it.

    python scripts/laboratory/session.py --kernel DIR --image DIR COMMAND

runs a bash command as root in /opt/edged, where the repository lies, and prints what it says.
"""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from line import Done, Line, MachineError
from machine import Machine
from usermode import UserMode

ROOT = Path(__file__).parents[2]
_CARRIED = ("edged", "scripts", "systemd", "tests", "configs", "pyproject.toml")
_HERE = "cd /opt/edged; export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=/opt/edged:/opt/site EDGED_V4L2_DEVICE=/dev/video0"


class Session:
    """What the laboratory does in the machine."""

    def __init__(self, machine: Line) -> None:
        self.machine = machine

    def python(self, arguments: str, *, timeout_s: float, user: str | None = None) -> Done:
        """Run the machine's Python where the repository lies, as root or as `user`."""
        return self.machine.run(f"{_HERE}; python3 {arguments}", timeout_s=timeout_s, user=user)

    def experiment(
        self, name: str, *arguments: object, timeout_s: float = 60.0, user: str | None = None
    ) -> dict[str, Any]:
        """Run one of scripts/laboratory/experiments and return what it found. Raises MachineError."""
        words = shlex.join(str(argument) for argument in arguments)
        done = self.python(f"-m scripts.laboratory.experiments.{name} {words}", timeout_s=timeout_s, user=user)
        try:
            found: dict[str, Any] = json.loads(done.output.splitlines()[-1])
        except (IndexError, ValueError):
            raise MachineError(f"the experiment {name} {words} ended with {done.code}:\n{done.output}") from None
        return found

    def begin(self, arguments: str, *, until: str, timeout_s: float = 120.0) -> int:
        """Run the machine's Python beside what follows; return its pid when the shell's condition `until` holds.

        In `until`, $pid is that pid, and what it says lies in /tmp/beside.log.
        """
        command = f"{_HERE}; python3 {arguments} > /tmp/beside.log 2>&1 & pid=$!"
        waiting = (
            f"until {until}; do [ -d /proc/$pid ] || {{ cat /tmp/beside.log; exit 1; }}; sleep 0.2; done; echo $pid"
        )
        return int(self.machine.check(f"{command}; {waiting}", timeout_s=timeout_s))

    def end(self, pid: int) -> None:
        """End what begin() began."""
        self.machine.check(f"kill {pid}; while [ -d /proc/{pid} ]; do sleep 0.1; done")

    def json(self, path: str) -> dict[str, Any]:
        """Read a JSON file of the machine's."""
        read: dict[str, Any] = json.loads(self.machine.check(f"cat {shlex.quote(path)}"))
        return read


@contextmanager
def session(*, kernel: Path, image: Path) -> Iterator[Session]:
    """Restore the machine from its snapshot, in a copy that is thrown away afterwards."""
    with tempfile.TemporaryDirectory(prefix="edged-lab-") as name:
        folder = Path(name)
        shutil.copy(image / "disk.qcow2", folder / "disk.qcow2")  # a snapshot is not seen through an overlay
        (folder / "root.img").symlink_to(image / "root.img")
        with Machine(kernel=kernel, disk=folder / "disk.qcow2", folder=folder / "run", restore=True) as machine:
            yield carried_into(machine)


@contextmanager
def usermode_session(parts: Path) -> Iterator[Session]:
    """Boot User-mode Linux on a disk whose changes are thrown away afterwards."""
    with tempfile.TemporaryDirectory(prefix="edged-lab-") as name, UserMode(parts=parts, folder=Path(name)) as machine:
        yield carried_into(machine)


def carried_into(machine: Line) -> Session:
    """Copy the working tree into a machine."""
    machine.check("mkdir -p /opt/edged")
    machine.send({name: ROOT / name for name in _CARRIED if (ROOT / name).exists()}, into="/opt/edged")
    return Session(machine)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--kernel", type=Path, required=True)
    options.add_argument("--image", type=Path, required=True)
    options.add_argument("command")
    given = options.parse_args()
    with session(kernel=given.kernel, image=given.image) as lab:
        done = lab.machine.run(f"{_HERE}; {given.command}", timeout_s=3600.0)
    print(done.output, end="")
    sys.exit(done.code)


if __name__ == "__main__":
    main()
