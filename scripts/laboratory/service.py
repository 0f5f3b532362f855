"""edged as a service in one of the laboratory's machines, installed as its own unit file has it."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Callable
from typing import Any

from line import MachineError
from session import Session

# The unit starts /opt/edged/bin/edged, the environment of an installation; here it is this working tree.
_PROGRAM = """\
#!/bin/sh
PYTHONPATH=/opt/edged:/opt/site exec python3 -m edged "$@"
"""
_INSTALL = """
cd /opt/edged/systemd
cp edged.service /etc/systemd/system/
cp sysusers.d/*.conf /usr/lib/sysusers.d/
cp tmpfiles.d/*.conf /usr/lib/tmpfiles.d/
systemd-sysusers
systemd-tmpfiles --create
systemctl daemon-reload
"""
_CONFIG = "/etc/edged/edged.toml"


class Service:
    """edged.service in a machine."""

    def __init__(self, lab: Session) -> None:
        self._machine = lab.machine

    def install(self, config: str) -> None:
        """Install it with this configuration; it is not started."""
        self._write("/opt/edged/bin/edged", _PROGRAM)
        self._write(_CONFIG, config)
        self._machine.check(f"chmod +x /opt/edged/bin/edged; set -e; {_INSTALL}")

    def start(self, *, timeout_s: float = 120.0) -> float:
        """Start it; return how long that took, in seconds. Raises MachineError."""
        return self._timed("systemctl start edged", timeout_s)

    def stop(self, *, timeout_s: float = 60.0) -> float:
        """Stop it; return how long that took, in seconds. Raises MachineError."""
        return self._timed("systemctl stop edged", timeout_s)

    def property(self, name: str) -> str:
        """What systemd says of it, such as ActiveState."""
        return self._machine.check(f"systemctl show edged -P {name}").strip()

    def edged(self, arguments: str, *, timeout_s: float = 60.0) -> str:
        """Run a command of edged and return what it prints, whatever its exit code."""
        return self._machine.run(f"/opt/edged/bin/edged {arguments}", timeout_s=timeout_s).output

    def status(self) -> dict[str, Any]:
        """`edged status --json`. Raises MachineError."""
        return self._objects("status --json")[-1]

    def said(self) -> dict[str, Any]:
        """The status file of the process that systemd watches; empty when there is none."""
        done = self._machine.run("cat /run/edged/status.json && systemctl show edged -P MainPID")
        if done.code != 0:
            return {}
        text, pid = done.output.rsplit("}", 1)
        status: dict[str, Any] = json.loads(text + "}")
        return status if status["pid"] == int(pid) else {}

    def temp_c(self) -> float | None:
        """The temperature that it tells of; None where it has no reading, or says nothing."""
        reading: float | None = (self.said().get("machine") or {}).get("temp_c")
        return reading

    def last_end(self) -> str:
        """Why the run before this one ended, in edged's one word for it; empty when it does not say."""
        return str((self.said().get("last_end") or {}).get("reason", ""))

    def camera_state(self) -> str:
        """What the status says of its only camera; empty when there is no good status."""
        return str(self._camera().get("state", ""))

    def detected(self) -> int:
        """How many frames of its only camera were looked at since the service started."""
        return int(self._camera().get("detected", 0))

    def in_view(self) -> int:
        """How many objects its only camera follows."""
        return int(self._camera().get("tracks", 0))

    def is_detecting(self) -> bool:
        """Whether the process that systemd watches has looked at a frame."""
        return self.detected() > 0

    def damaged(self) -> list[str]:
        """The event logs that were found damaged and set aside."""
        return self._machine.check("cd /var/lib/edged; ls -d *damaged* 2>/dev/null || true").split()

    def events(self) -> list[dict[str, Any]]:
        """`edged events --json`. Raises MachineError."""
        return self._objects("events --json --limit 1000")

    def until(self, happened: Callable[[Service], bool], what: str, *, timeout_s: float = 60.0) -> float:
        """Ask again and again until `happened`; return after how long, in seconds. Raises MachineError."""
        began = time.monotonic()
        while not happened(self):
            if time.monotonic() - began > timeout_s:
                raise MachineError(f"{what} did not happen within {timeout_s:g} s:\n{self.journal()}")
            time.sleep(0.2)
        return time.monotonic() - began

    def journal(self) -> str:
        """The end of its log."""
        return self._machine.run("journalctl -u edged -n 30 --no-pager -o cat").output

    def _camera(self) -> dict[str, Any]:
        cameras = self.said().get("cameras") or [{}]
        camera: dict[str, Any] = cameras[0]
        return camera

    def _objects(self, arguments: str) -> list[dict[str, Any]]:
        said = self.edged(arguments)
        try:
            return [json.loads(line) for line in said.splitlines() if line.startswith("{")]
        except ValueError:
            raise MachineError(f"edged {arguments} says:\n{said}") from None

    def _write(self, path: str, text: str) -> None:
        quoted = shlex.quote(path)
        self._machine.check(f"mkdir -p $(dirname {quoted}); printf %s {shlex.quote(text)} > {quoted}")

    def _timed(self, command: str, timeout_s: float) -> float:
        began = time.monotonic()
        done = self._machine.run(command, timeout_s=timeout_s)
        if done.code != 0:
            raise MachineError(f"{command} ended with {done.code}:\n{done.output}\n{self.journal()}")
        return time.monotonic() - began
