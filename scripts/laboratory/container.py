"""Drives a container that boots a real systemd: systemd-nspawn on a Debian root file system, which stays as it is.

python scripts/laboratory/container.py   exits with 77, and says why, where there can be none
"""

from __future__ import annotations

import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from line import Done, MachineError

CANNOT_RUN = 77
"""The exit code of what cannot be tried here."""

_HERE = Path(__file__).parent
_BOOT_WITHIN_S = 60.0
_POLL_S = 0.05
_V1_CONTROLLERS = ("memory", "devices", "pids", "cpu", "cpuacct", "blkio")


class Container:
    """One booted container; commands in it run as root."""

    def __init__(self, *, log: Path, nspawn: subprocess.Popen[bytes]) -> None:
        self._log = log
        self._nspawn = nspawn
        self._leader: int | None = None

    def run(self, command: str, *, timeout_s: float = 60.0) -> Done:
        """Run a bash command in the container; 124 is the code of one that did not end in time."""
        spaces = ["-t", str(self._leader), "-m", "-u", "-i", "-n", "-p", "-C"]
        clean = ["/usr/bin/env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8"]
        try:
            done = subprocess.run(
                ["nsenter", *spaces, "--", *clean, "/bin/bash", "-c", command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired as slow:
            return Done(124, (slow.stdout or b"").decode(errors="replace"))
        return Done(done.returncode, done.stdout.decode(errors="replace"))

    def check(self, command: str, *, timeout_s: float = 60.0) -> str:
        """Run a command that must go well, and return what it said. Raises MachineError."""
        done = self.run(command, timeout_s=timeout_s)
        if done.code != 0:
            raise MachineError(f"{command!r} ended with {done.code}:\n{done.output}")
        return done.output

    def boot(self) -> float:
        """Wait until the container has booted; return the seconds from the call. Raises MachineError."""
        began = time.monotonic()
        self._until("test -d /run/systemd/system", began + _BOOT_WITHIN_S)
        if not Path("/sys/fs/cgroup/cgroup.controllers").exists():
            # systemd-nspawn shows version 1's controllers read-only: MemoryMax= and DeviceAllow= would do nothing.
            for controller in _V1_CONTROLLERS:
                self.run(f"mount -o remount,rw,bind /sys/fs/cgroup/{controller}")
            self._until("systemctl daemon-reexec", began + _BOOT_WITHIN_S)
        self._until("systemctl is-active --quiet multi-user.target", began + _BOOT_WITHIN_S)
        return time.monotonic() - began

    def end(self) -> None:
        """Power it off, and see that nothing is left."""
        if self._leader is not None:
            self.run("systemctl --no-block poweroff", timeout_s=10)
        try:
            self._nspawn.wait(20.0)
        except subprocess.TimeoutExpired:
            self._nspawn.send_signal(signal.SIGKILL)
            self._nspawn.wait()

    def _until(self, command: str, deadline: float) -> None:
        while not self._find_leader() or self.run(command, timeout_s=20.0).code != 0:
            if time.monotonic() > deadline or self._nspawn.poll() is not None:
                raise MachineError(f"the container does not boot ({command}):\n{self._log.read_text()[-2000:]}")
            time.sleep(_POLL_S)

    def _find_leader(self) -> bool:
        """Look for the container's first process; systemd-nspawn has others for a moment before it."""
        children = Path(f"/proc/{self._nspawn.pid}/task/{self._nspawn.pid}/children")
        found = children.read_text().split() if children.exists() else []
        self._leader = int(found[0]) if found else None
        return self._leader is not None


@contextmanager
def container(
    root: Path, *, binds: Mapping[Path, str], shared: Mapping[Path, str] = {}, keep: bool = False
) -> Iterator[Container]:
    """Boot the root file system in `root`, with host folders bound read-only where `binds` says, `shared` to write in.

    What is written elsewhere goes to an overlay in memory, and is thrown away at the end; `keep` writes it to `root`.
    Raises MachineError.
    """
    with tempfile.TemporaryDirectory(prefix="edged-lab-") as folder:
        log = Path(folder) / "console.log"
        command = [str(_HERE / "enter_cgroup.sh"), "systemd-nspawn", "--quiet", f"--directory={root}", "--boot"]
        command += ["--register=no", "--keep-unit", f"--machine=edged-lab-{uuid.uuid4().hex[:12]}", "--console=pipe"]
        command += ["--link-journal=no", "--kill-signal=SIGRTMIN+3", *([] if keep else ["--volatile=overlay"])]
        command += [f"--bind-ro={host}:{place}" for host, place in binds.items()]
        command += [f"--bind={host}:{place}" for host, place in shared.items()]
        with log.open("wb") as out:
            nspawn = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        booted = Container(log=log, nspawn=nspawn)
        try:
            booted.boot()
            yield booted
        finally:
            booted.end()


def why_not() -> str | None:
    """Why no container can be booted here; None when nothing is known to stand in the way."""
    if platform.machine() != "x86_64":
        return f"its packages are those of a PC, and this is {platform.machine()}"
    if os.geteuid() != 0:
        return "it needs root"
    missing = [tool for tool in ("systemd-nspawn", "nsenter", "mmdebstrap") if shutil.which(tool) is None]
    return f"it needs {', '.join(missing)}" if missing else None


if __name__ == "__main__":
    if reason := why_not():
        print(f"The service cannot be tried here: {reason}.", file=sys.stderr)
        sys.exit(CANNOT_RUN)
