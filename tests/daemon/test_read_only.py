"""A disk that is mounted read-only when the daemon starts, and mended while it runs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.daemon.conftest import Box

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        os.geteuid() != 0 or not shutil.which("unshare") or not shutil.which("nsenter"),
        reason="mounting takes root, unshare and nsenter",
    ),
]


EDGED = [sys.executable, "-m", "edged", "run", "-c"]
ON_A_READ_ONLY_DISK = [
    *["unshare", "--mount", "sh", "-c"],
    'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"',
]
"""Before a folder that is mounted so, and a command that sees it so."""


def remount(box: Box, mode: str, *, seen_by: int) -> None:
    """Mount the data folder anew, read-only or not, as one process sees it."""
    command = ["nsenter", "--target", str(seen_by), "--mount", "mount", "-o", f"remount,bind,{mode}", str(box.data)]
    subprocess.run(command, check=True)


def test_on_a_disk_that_is_read_only_at_the_start_it_watches_and_stores_all_once_it_is_writable(
    box: Box, clip: Path
) -> None:
    box.configure(f'source = "{clip}"')
    assert box.run_config().code == 0
    stored = box.events()
    record = json.loads((box.data / "run.json").read_text())
    (box.data / "run.json").write_text(json.dumps({**record, "state": "running"}))
    (box.data / "service-result").write_text("oom-kill killed KILL\n")

    box.configure(f'source = "{clip}"', 'source = "/dev/video987"', top='runtime_dir = "run"')
    box.status_folder = box.folder / "run"
    process = box.start_program([*ON_A_READ_ONLY_DISK, box.data, *EDGED, box.config])
    status = box.wait_for(process, lambda status: bool(status["store"]["error"] and status["store"]["waiting"] == 6))
    assert status["state"] == "running"
    assert "Read-only file system" in status["store"]["error"]

    second = box.run("run", "-c", box.config)
    assert second.code == 5
    second.told("another edged", str(box.data))

    remount(box, "rw", seen_by=process.pid)
    box.wait_for(process, lambda status: bool(status["store"]["written"] == 6 and not status["store"]["error"]))
    process.terminate()
    ended = box.end_of(process)
    assert ended.code == 0
    assert "it cannot store what it sees until this is mended" in ended.err
    events = box.events()
    assert events[: len(stored)] == stored
    kinds = [event["kind"] for event in events[len(stored) :] if event["kind"] != "camera_lost"]
    assert kinds == ["restarted", *["appeared", "left"] * 2]
    assert events[len(stored)]["reason"] == "oom"
    assert not (box.data / "service-result").exists()


def test_a_disk_that_is_read_only_at_the_start_costs_the_trace_on_it_and_nothing_else(box: Box, clip: Path) -> None:
    box.configure(f'source = "{clip}"')
    (box.folder / "traces").mkdir()
    trace = ["--trace", box.folder / "traces" / "t.txt"]
    ended = box.end_of(box.start_program([*ON_A_READ_ONLY_DISK, box.folder / "traces", *EDGED, box.config, *trace]))
    assert ended.code == 7
    ended.told("edged goes on", "t.txt cannot be written: Read-only file system")
    assert len(box.events()) == 4
