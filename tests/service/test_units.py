"""The units, read by systemd itself."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from edged.clock import SystemClock
from edged.health.run_record import read_service_result

UNITS = Path(__file__).parents[2] / "systemd"
DROP_INS = sorted(file.name for file in (UNITS / "edged.service.d").iterdir())
TARGETS = ("sysinit", "basic", "shutdown", "multi-user", "network")
EXPOSURE_MAX = 1.5

pytestmark = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not here")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root folder that holds as much as systemd wants to see before it believes the unit."""
    for program in ("opt/edged/bin/edged", "usr/lib/edged/back-off", "bin/kill", "bin/sh"):
        file = tmp_path / program
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("#!/bin/sh\n")
        file.chmod(0o755)
    units = tmp_path / "etc/systemd/system"
    units.mkdir(parents=True)
    for target in TARGETS:
        (units / f"{target}.target").write_text(f"[Unit]\nDescription={target}\n")
    shutil.copy(UNITS / "edged.service", units)
    return tmp_path


def _with(root: Path, drop_ins: Sequence[str]) -> None:
    folder = root / "etc/systemd/system/edged.service.d"
    folder.mkdir()
    for name in drop_ins:
        shutil.copy(UNITS / "edged.service.d" / name, folder)


def _analyze(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", *arguments, f"--root={root}", "edged.service"], capture_output=True, text=True, check=False
    )


def test_cameras_are_a_kind_of_device_that_the_kernel_knows_before_the_service_starts() -> None:
    """systemd.resource-control(5): a group of devices that is not known at the start is not allowed later either."""
    lines = (UNITS / "edged.service").read_text().splitlines()
    assert {"Wants=modprobe@videodev.service", "After=modprobe@videodev.service"} <= set(lines)
    assert "DeviceAllow=char-video4linux rw" in lines


def test_what_the_unit_leaves_of_an_end_is_what_the_next_run_reads(tmp_path: Path) -> None:
    unit = (UNITS / "edged.service").read_text()
    (command,) = [line.partition("=-")[2] for line in unit.splitlines() if line.startswith("ExecStopPost=")]
    shell, option, script = shlex.split(command)
    script = (
        script.replace("$$", "$").replace("/var/lib/edged", str(tmp_path)).replace("/usr/lib/edged/back-off", "true")
    )
    ended = {"SERVICE_RESULT": "core-dump", "EXIT_CODE": "dumped", "EXIT_STATUS": "SEGV"}
    subprocess.run([shell, option, script], env=ended | {"PATH": os.environ["PATH"]}, check=True)
    assert read_service_result(tmp_path).splitlines() == ["core-dump dumped SEGV", SystemClock().boot_id()]


@pytest.mark.parametrize("drop_in", [None, *DROP_INS])
def test_systemd_understands_every_line(root: Path, drop_in: str | None) -> None:
    _with(root, [drop_in] if drop_in else [])
    found = _analyze(root, "verify", "--man=no")
    assert (found.returncode, found.stdout + found.stderr) == (0, "")


@pytest.mark.parametrize("drop_ins", [(), *[(name,) for name in DROP_INS], ("network.conf", "internet.conf")])
def test_the_sandbox_stays_tight(root: Path, drop_ins: Sequence[str]) -> None:
    _with(root, drop_ins)
    limit = f"--threshold={round(EXPOSURE_MAX * 10)}"
    found = _analyze(root, "security", "--offline=true", "--no-pager", limit)
    assert "Overall exposure level" in found.stdout
    assert found.returncode == 0, found.stdout


def test_the_limit_would_notice_a_hole(root: Path) -> None:
    (root / "etc/systemd/system/edged.service.d").mkdir()
    hole = root / "etc/systemd/system/edged.service.d/hole.conf"
    hole.write_text("[Service]\nUser=root\nNoNewPrivileges=no\nProtectSystem=no\nPrivateNetwork=no\n")
    limit = f"--threshold={round(EXPOSURE_MAX * 10)}"
    assert _analyze(root, "security", "--offline=true", "--no-pager", limit).returncode != 0
