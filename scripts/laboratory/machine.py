"""Drives the virtual machine: QEMU without KVM, and the agent in it."""

from __future__ import annotations

import base64
import io
import json
import socket
import subprocess
import tarfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any

SNAPSHOT = "ready"
_GRACE_S = 30.0  # the machine may be slow to answer beyond what a command is allowed


class MachineError(Exception):
    """The machine, or a command in it, failed."""


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it wrote to stdout and stderr."""

    code: int
    output: str


class Machine:
    """One virtual machine, running from construction to kill().

    `folder` takes its sockets and logs; `disk` is a qcow2 image. With `restore` it goes on where save() left it,
    seconds after construction; otherwise it boots. Use it as a context manager.
    """

    def __init__(self, *, kernel: Path, disk: Path, folder: Path, restore: bool, memory_mb: int = 1024) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._requests = 0
        self._waiting = b""
        self._socket("agent").unlink(missing_ok=True)
        self._socket("monitor").unlink(missing_ok=True)
        # Without KVM all instructions are emulated; "max" is what today's wheels of numpy need.
        command = ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none"]
        command += ["-machine", "q35", "-accel", "tcg,thread=multi,tb-size=512", "-cpu", "max", "-smp", "2"]
        command += ["-m", str(memory_mb), "-serial", f"file:{folder / 'serial.log'}"]
        command += ["-kernel", str(kernel / "vmlinuz"), "-initrd", str(kernel / "initrd.gz")]
        command += ["-append", "console=ttyS0 root=/dev/vda rw quiet panic=-1 mitigations=off"]
        command += ["-drive", f"file={disk},if=none,id=disk,format=qcow2,cache=unsafe"]
        command += ["-device", "virtio-blk-pci,drive=disk", "-device", "virtio-serial-pci"]
        command += ["-chardev", f"socket,id=agent,path={self._socket('agent')},server=on,wait=off"]
        command += ["-device", "virtserialport,chardev=agent,name=agent", "-device", "virtio-rng-pci"]
        command += ["-qmp", f"unix:{self._socket('monitor')},server=on,wait=off"]
        command += ["-loadvm", SNAPSHOT] if restore else []
        with (folder / "qemu.log").open("wb") as log:
            self._qemu = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            self._monitor = self._connect("monitor").makefile("rw")
            self._monitor.readline()
            self._order("qmp_capabilities")
            self._agent = self._connect("agent")
            if not restore:
                self._wait_until_booted()
            self.check(f"date -s @{time.time():.0f}")
        except BaseException:
            self.kill()
            raise

    def __enter__(self) -> Machine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def run(self, command: str, *, timeout_s: float = 60.0, user: str | None = None) -> Done:
        """Run a bash command as root, or as `user`; code 124 when it took longer than `timeout_s`."""
        answer = self._ask({"run": command, "timeout_s": timeout_s, "user": user}, timeout_s)
        return Done(answer["code"], answer["output"])

    def check(self, command: str, *, timeout_s: float = 60.0, user: str | None = None) -> str:
        """Run a command that must succeed and return its output. Raises MachineError."""
        done = self.run(command, timeout_s=timeout_s, user=user)
        if done.code != 0:
            raise MachineError(f"in the machine: {command}\nended with {done.code}:\n{done.output}")
        return done.output

    def send(self, files: Mapping[str, Path], *, into: str = "/") -> None:
        """Copy files and folders, named by where they shall lie below `into`."""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as archive:
            for name, path in files.items():
                archive.add(path, arcname=name, filter=_without_leftovers)
        answer = self._ask({"unpack": base64.b64encode(buffer.getvalue()).decode(), "into": into}, 120.0)
        if answer["code"] != 0:
            raise MachineError(f"cannot copy {', '.join(files)} into the machine: {answer['output']}")

    def save(self) -> None:
        """Keep the machine as it stands now, memory and disk, in its disk image."""
        answer = self._order("human-monitor-command", {"command-line": f"savevm {SNAPSHOT}"})
        if answer.get("return"):
            raise MachineError(f"the machine cannot be saved: {answer['return']}")
        self._order("quit")
        self._qemu.wait(60)

    def kill(self) -> None:
        """End it at once, as a power cut would. Harmless when it has ended."""
        self._qemu.kill()
        self._qemu.wait()

    def _socket(self, name: str) -> Path:
        return self._folder / f"{name}.sock"

    def _connect(self, name: str) -> socket.socket:
        deadline = time.monotonic() + _GRACE_S
        while True:
            connection = socket.socket(socket.AF_UNIX)
            try:
                connection.connect(str(self._socket(name)))
                return connection
            except OSError:
                connection.close()
                if self._qemu.poll() is not None or time.monotonic() > deadline:
                    raise MachineError(f"QEMU does not start: {(self._folder / 'qemu.log').read_text()}") from None
                time.sleep(0.02)

    def _wait_until_booted(self) -> None:
        try:
            self._receive(0, time.monotonic() + 240.0)
        except MachineError as error:
            console = (self._folder / "serial.log").read_text(errors="replace")
            raise MachineError(f"the machine does not boot: {error}\n{console[-2000:]}") from error

    def _ask(self, request: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        self._requests += 1
        self._agent.settimeout(timeout_s + _GRACE_S)
        self._agent.sendall(json.dumps({"id": self._requests, **request}).encode() + b"\n")
        return self._receive(self._requests, time.monotonic() + timeout_s + _GRACE_S)

    def _receive(self, request: int, deadline: float) -> dict[str, Any]:
        """Wait for the answer to a request; earlier ones that nobody waited for are dropped."""
        while True:
            while b"\n" not in self._waiting:
                self._agent.settimeout(max(0.01, deadline - time.monotonic()))
                try:
                    received = self._agent.recv(1 << 16)
                except TimeoutError:
                    raise MachineError("the machine does not answer") from None
                if not received:
                    raise MachineError(f"QEMU has ended: {(self._folder / 'qemu.log').read_text()}")
                self._waiting += received
            line, self._waiting = self._waiting.split(b"\n", 1)
            answer: dict[str, Any] = json.loads(line)
            if answer["id"] == request:
                return answer

    def _order(self, command: str, arguments: dict[str, Any] | None = None) -> dict[str, Any]:
        """Tell QEMU itself something, over QMP."""
        _write_line(self._monitor, {"execute": command, **({"arguments": arguments} if arguments else {})})
        while True:
            answer: dict[str, Any] = json.loads(self._monitor.readline())
            if "error" in answer:
                raise MachineError(f"QEMU refuses {command}: {answer['error']}")
            if "return" in answer:
                return answer


def _write_line(stream: IO[str], message: dict[str, Any]) -> None:
    stream.write(json.dumps(message) + "\n")
    stream.flush()


def _without_leftovers(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if entry.name.endswith(("__pycache__", ".pyc")) else entry
