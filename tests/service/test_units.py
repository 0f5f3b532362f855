"""The units, read by systemd itself."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

UNITS = Path(__file__).parents[2] / "systemd"
DROP_INS = sorted(file.name for file in (UNITS / "edged.service.d").iterdir())
TARGETS = ("sysinit", "basic", "shutdown", "multi-user", "network")
EXPOSURE_MAX = 1.5

pytestmark = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not here")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root folder that holds as much as systemd wants to see before it believes the unit."""
    for program in ("opt/edged/bin/edged", "bin/kill", "bin/sh"):
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


def _version() -> int:
    found = subprocess.run(["systemd-analyze", "--version"], capture_output=True, text=True, check=True)
    return int(found.stdout.split()[1].partition(".")[0])


@pytest.mark.parametrize("drop_in", [None, *DROP_INS])
def test_systemd_understands_every_line(root: Path, drop_in: str | None) -> None:
    if drop_in == "back-off.conf" and _version() < 254:
        pytest.skip("this systemd is too old for the back-off, and is not given it")
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
