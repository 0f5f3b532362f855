"""Drives the virtual machine: QEMU without KVM, and the agent in it."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from line import Line, MachineError

SNAPSHOT = "ready"
BOOT_S = 240.0  # on a host that is busy elsewhere
_START_S = 30.0
_CONSOLE_END = 8000  # characters: a kernel's panic alone has 2000


class BootError(MachineError):
    """The machine does not come up to its agent."""


class Machine(Line):
    """One virtual machine, running from construction to kill().

    `folder` takes its sockets and logs; `disk` is a qcow2 image, or the address of a raw one that is served. With
    `restore` it goes on where save() left it, seconds after construction; otherwise it boots. `clock` is the time of
    its hardware clock, as QEMU's -rtc takes it; without it, it is now. Use it as a context manager.
    """

    def __init__(
        self,
        *,
        kernel: Path,
        disk: Path | str,
        folder: Path,
        restore: bool,
        memory_mb: int = 1024,
        clock: str | None = None,
        devices: Sequence[str] = (),
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._socket("agent").unlink(missing_ok=True)
        self._socket("monitor").unlink(missing_ok=True)
        # Without KVM all instructions are emulated; "max" is what today's wheels of numpy need. QEMU 7.2 gets one of
        # BMI2 wrong (PEXT or a neighbour), with which numpy's argsort puts a few hundred numbers into a wrong order.
        command = ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none"]
        command += ["-machine", "q35", "-accel", "tcg,thread=multi,tb-size=512", "-cpu", "max,-bmi2", "-smp", "2"]
        command += ["-m", str(memory_mb), "-serial", f"file:{folder / 'serial.log'}"]
        command += ["-kernel", str(kernel / "vmlinuz"), "-initrd", str(kernel / "initrd.gz")]
        command += ["-append", "console=ttyS0 root=/dev/vda rw quiet panic=-1 mitigations=off"]
        drive = "format=qcow2,cache=unsafe" if isinstance(disk, Path) else "format=raw,cache=writeback"
        command += ["-drive", f"file={disk},if=none,id=disk,{drive}"]
        command += ["-device", "virtio-blk-pci,drive=disk", "-device", "virtio-serial-pci"]
        command += ["-chardev", f"socket,id=agent,path={self._socket('agent')},server=on,wait=off"]
        command += ["-device", "virtserialport,chardev=agent,name=agent", "-device", "virtio-rng-pci"]
        command += ["-qmp", f"unix:{self._socket('monitor')},server=on,wait=off"]
        command += ["-rtc", f"base={clock}"] if clock else []
        command += [word for device in devices for word in ("-device", device)]
        command += ["-loadvm", SNAPSHOT] if restore else []
        with (folder / "qemu.log").open("wb") as log:
            self._qemu = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            self._monitor = self._connect("monitor").makefile("rw")
            self._monitor.readline()
            self._order("qmp_capabilities")
            super().__init__(self._connect("agent"))
            if not restore:
                self._wait_until_booted()
            if clock is None:
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
        deadline = time.monotonic() + _START_S
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
            self.wait_until_ready(BOOT_S)
        except MachineError as error:
            console = (self._folder / "serial.log").read_text(errors="replace")
            raise BootError(f"the machine does not boot: {error}\n{console[-_CONSOLE_END:]}") from error

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
