#!/usr/bin/python3
"""Runs in the machine and does what the laboratory asks for, one JSON object a line each way, on a serial line.

{"id": 1, "run": "ls /dev", "timeout_s": 10, "user": null}  →  {"id": 1, "code": 0, "output": "…"}
{"id": 2, "unpack": "<base64 of a .tar.gz>", "into": "/opt"}  →  {"id": 2, "code": 0, "output": ""}
"""

from __future__ import annotations

import base64
import io
import json
import subprocess
import tarfile
import threading
import time
import tty
from pathlib import Path
from typing import Any, BinaryIO

TIMED_OUT = 124  # as timeout(1) says it
FAILED = 125


def do(request: dict[str, Any]) -> tuple[int, str]:
    """Do one thing; return its exit code and what it said."""
    try:
        if "unpack" in request:
            with tarfile.open(fileobj=io.BytesIO(base64.b64decode(request["unpack"]))) as archive:
                archive.extractall(request["into"])
            return 0, ""
        user = request.get("user")
        become = ["setpriv", "--reuid", user, "--regid", user, "--init-groups"] if user else []
        done = subprocess.run(
            [*become, "bash", "-c", request["run"]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=request["timeout_s"],
        )
        return done.returncode, done.stdout.decode(errors="replace")
    except subprocess.TimeoutExpired as late:
        return TIMED_OUT, (late.output or b"").decode(errors="replace")
    except Exception as error:  # noqa: BLE001  whatever it was, the laboratory waits for an answer
        return FAILED, repr(error)


def open_port() -> BinaryIO:
    """Wait for the virtio port that the laboratory listens on, or open the terminal that the boot line names."""
    for word in Path("/proc/cmdline").read_text().split():
        if word.startswith("lab.agent="):
            return Path(word.partition("=")[2]).open("r+b", buffering=0)
    while not (found := sorted(Path("/dev").glob("vport*p1"))):
        time.sleep(0.1)
    return found[0].open("r+b", buffering=0)


def main() -> None:
    """Serve for ever; requests run beside each other."""
    port = open_port()
    if port.isatty():
        tty.setraw(port)
    turn = threading.Lock()

    def answer(message: dict[str, Any]) -> None:
        with turn:
            data = memoryview(json.dumps(message).encode() + b"\n")
            while data:
                data = data[port.write(data) :]

    def serve(request: dict[str, Any]) -> None:
        code, output = do(request)
        answer({"id": request["id"], "code": code, "output": output})

    answer({"id": 0, "code": 0, "output": "ready"})
    waiting = b""
    while True:
        received = port.read(1 << 16)
        if not received:  # nobody listens: the machine was restored from its snapshot
            time.sleep(0.05)
            continue
        *lines, waiting = (waiting + received).split(b"\n")
        for line in lines:
            threading.Thread(target=serve, args=(json.loads(line),), daemon=True).start()


main()
