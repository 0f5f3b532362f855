"""The laboratory's line to the agent in a machine."""

from __future__ import annotations

import base64
import io
import json
import socket
import tarfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_GRACE_S = 30.0  # the machine may be slow to answer beyond what a command is allowed


class MachineError(Exception):
    """The machine, or a command in it, failed."""


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it wrote to stdout and stderr."""

    code: int
    output: str


class Line:
    """Has the agent do things in its machine, one after the other."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._requests = 0
        self._waiting = b""

    def wait_until_ready(self, timeout_s: float) -> None:
        """Wait for the agent's first word. Raises MachineError."""
        self._receive(0, time.monotonic() + timeout_s)

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

    def booted(self, timeout_s: float) -> str:
        """Wait until systemd has started everything, and return how it says that went: running, or degraded."""
        asking = (
            "until s=$(systemctl is-system-running); [[ $s != initializing && $s != starting ]]; do sleep 0.2; done"
        )
        return self.run(f"{asking}; echo $s", timeout_s=timeout_s).output.strip()

    def send(self, files: Mapping[str, Path], *, into: str = "/") -> None:
        """Copy files and folders, named by where they shall lie below `into`."""
        answer = self._ask({"unpack": base64.b64encode(packed(files)).decode(), "into": into}, 120.0)
        if answer["code"] != 0:
            raise MachineError(f"cannot copy {', '.join(files)} into the machine: {answer['output']}")

    def _ask(self, request: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        self._requests += 1
        deadline = time.monotonic() + timeout_s + _GRACE_S
        self._connection.settimeout(timeout_s + _GRACE_S)
        try:
            self._connection.sendall(json.dumps({"id": self._requests, **request}).encode() + b"\n")
        except OSError as error:
            raise MachineError(f"the machine does not listen: {error}") from error
        return self._receive(self._requests, deadline)

    def _receive(self, request: int, deadline: float) -> dict[str, Any]:
        """Wait for the answer to a request; earlier ones that nobody waited for are dropped."""
        while True:
            while b"\n" not in self._waiting:
                self._connection.settimeout(max(0.01, deadline - time.monotonic()))
                try:
                    received = self._connection.recv(1 << 16)
                except TimeoutError:
                    raise MachineError("the machine does not answer") from None
                if not received:
                    raise MachineError("the machine has ended")
                self._waiting += received
            line, self._waiting = self._waiting.split(b"\n", 1)
            answer: dict[str, Any] = json.loads(line)
            if answer["id"] == request:
                return answer


def packed(files: Mapping[str, Path]) -> bytes:
    """A .tar.gz of files and folders, by the names that they shall have in it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as archive:
        for name, path in files.items():
            archive.add(path, arcname=name, filter=_without_leftovers)
    return buffer.getvalue()


def _without_leftovers(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if entry.name.endswith(("__pycache__", ".pyc")) else entry
