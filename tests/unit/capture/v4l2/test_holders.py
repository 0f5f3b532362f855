from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from edged.capture.v4l2.holders import who_holds


def process(proc: Path, pid: int, command: str, *files: str) -> None:
    """Make a process that has these files open."""
    folder = proc / str(pid) / "fd"
    folder.mkdir(parents=True)
    (folder.parent / "comm").write_text(command + "\n")
    for number, file in enumerate(files):
        (folder / str(number)).symlink_to(file)


def test_those_who_have_the_device_open_are_named_in_order(tmp_path: Path) -> None:
    process(tmp_path, 1200, "ffmpeg", "/dev/zero", "/dev/null")
    process(tmp_path, 300, "motion", "/dev/null", "/dev/null")
    process(tmp_path, 5, "innocent", "/dev/zero", "/nowhere", "/")
    (tmp_path / "self").mkdir()
    (tmp_path / "7").mkdir()  # ended meanwhile
    assert who_holds(Path("/dev/null"), proc=tmp_path) == [(300, "motion"), (1200, "ffmpeg")]


@pytest.mark.parametrize("path", ["/dev/nothing-here", "/etc/passwd", "/"])
def test_what_is_no_device_is_held_by_nobody(path: str, tmp_path: Path) -> None:
    process(tmp_path, 10, "vi", "/etc/passwd")
    assert who_holds(Path(path), proc=tmp_path) == []


def test_without_a_list_of_processes_nobody_is_named(tmp_path: Path) -> None:
    assert who_holds(Path("/dev/null"), proc=tmp_path / "nowhere") == []


def test_a_real_process_is_found_and_this_one_is_not_told() -> None:
    ours, theirs = os.openpty()  # a device that nobody else on this machine has open
    device = os.ttyname(theirs)
    program = f"import sys; file = open('{device}', 'wb', buffering=0); print('open', flush=True); sys.stdin.read()"
    with (
        os.fdopen(ours, "wb"),
        os.fdopen(theirs, "wb"),
        subprocess.Popen([sys.executable, "-c", program], stdin=-1, stdout=-1) as other,
    ):
        assert other.stdout is not None
        other.stdout.readline()
        holders = who_holds(Path(device))
        other.communicate()
    assert [pid for pid, _ in holders] == [other.pid]
    assert "python" in holders[0][1]
