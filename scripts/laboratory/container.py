"""Drives a container that boots a real systemd: systemd-nspawn on a Debian root file system, which stays as it is."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from machine import Done, MachineError

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

    def wait(self, condition: str, *, within_s: float, poll_s: float = _POLL_S) -> float:
        """Wait until a shell condition holds in the container; return how long that took. Raises MachineError."""
        began = time.monotonic()
        # One shell for the whole wait: starting one for each look would take longer than what is waited for.
        loop = f"until {condition}; do sleep {poll_s}; done"
        done = self.run(f"timeout {within_s} bash -c {shlex.quote(loop)} 2>/dev/null", timeout_s=within_s + 10)
        if done.code != 0:
            raise MachineError(f"waited {within_s:.0f} s in vain for: {condition}")
        return time.monotonic() - began

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
def container(root: Path, *, binds: dict[Path, str]) -> Iterator[Container]:
    """Boot the root file system in `root`, with host folders bound read-only where `binds` says.

    What is written goes to an overlay in memory, and is thrown away at the end. Raises MachineError.
    """
    with tempfile.TemporaryDirectory(prefix="edged-lab-") as folder:
        log = Path(folder) / "console.log"
        command = [str(_HERE / "enter_cgroup.sh"), "systemd-nspawn", "--quiet", f"--directory={root}", "--boot"]
        command += ["--volatile=overlay", "--register=no", "--keep-unit", f"--machine=edged-lab-{os.getpid()}"]
        command += ["--console=pipe", "--link-journal=no", "--kill-signal=SIGRTMIN+3"]
        command += [f"--bind-ro={host}:{place}" for host, place in binds.items()]
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
    if os.geteuid() != 0:
        return "it needs root"
    missing = [tool for tool in ("systemd-nspawn", "nsenter", "mmdebstrap") if shutil.which(tool) is None]
    return f"it needs {', '.join(missing)}" if missing else None
