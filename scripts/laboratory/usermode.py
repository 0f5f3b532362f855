"""Drives User-mode Linux: Debian's kernel as an ordinary program, whose instructions nobody emulates."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from line import Line, MachineError, packed

# A camera that shows what is played into the display output beside it, /dev/video1, as over an HDMI cable, and a test
# picture while nothing is. Documentation/admin-guide/media/vivid.rst has the numbers.
_CAMERA = "vivid.n_devs=1 vivid.node_types=0x101 vivid.num_inputs=1 vivid.input_types=3"
_CAMERA += " vivid.num_outputs=1 vivid.output_types=1"
_BOOT_S = 120.0


class UserMode(Line):
    """One machine of User-mode Linux, running from construction to kill().

    `parts` is the folder with the kernel and the disk, which stays as it is; `folder` takes what the machine writes.
    Use it as a context manager.
    """

    def __init__(self, *, parts: Path, folder: Path, memory_mb: int = 768) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._console = folder / "console.log"
        ours, theirs = socket.socketpair()
        command = [str(parts / "linux"), f"mem={memory_mb}M", f"ubd0={folder / 'changes.cow'},{parts / 'root.img'}"]
        command += ["root=/dev/ubda", "rw", "quiet", "panic=1", "con=null", "con0=null,fd:1"]
        command += [f"ssl0=fd:{theirs.fileno()},fd:{theirs.fileno()}", "lab.agent=/dev/ttyS0"]
        command += ["systemd.mask=systemd-sysctl.service"]  # Debian's highest pid is too high for so small a kernel
        command += [f"uml_dir={folder}/"]
        with self._console.open("wb") as console:
            self._linux = subprocess.Popen(
                [*command, *_CAMERA.split()],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # it runs each of the machine's programs in a process of its own
                env={**os.environ, "TMPDIR": _memory()},
            )
        theirs.close()
        super().__init__(ours)
        try:
            self.wait_until_ready(_BOOT_S)
        except MachineError as error:
            self.kill()
            said = self._console.read_text(errors="replace")
            raise MachineError(f"User-mode Linux does not boot: {error}\n{said[-2000:]}") from error

    def __enter__(self) -> UserMode:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def send(self, files: Mapping[str, Path], *, into: str = "/") -> None:
        """Copy files and folders, named as they shall lie below `into`: its terminal loses much at once."""
        (self._folder / "parcel").mkdir(exist_ok=True)
        (self._folder / "parcel" / "files.tar.gz").write_bytes(packed(files))
        mount = f"mount -t hostfs -o {self._folder / 'parcel'} parcel /mnt"
        self.check(f"set -e; {mount}; tar -xzf /mnt/files.tar.gz -C {into}; umount /mnt")

    def kill(self) -> None:
        """End it at once. Harmless when it has ended."""
        with suppress(ProcessLookupError):
            os.killpg(self._linux.pid, signal.SIGKILL)
        self._linux.wait()


def _memory() -> str:
    """Where the machine's memory lies as a file that is deleted at once: the host's memory, where there is room."""
    shared = Path("/dev/shm")
    return str(shared) if shared.is_dir() and shutil.disk_usage(shared).free > 2**30 else "/tmp"
