"""What an installed edged is fitted with on which board, in a folder that stands for the box."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SETTLE = ROOT / "scripts/installation/settle"
UNINSTALL = ROOT / "scripts/uninstall"


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A folder with a systemctl that does nothing."""
    folder = tmp_path / "tools"
    folder.mkdir()
    systemctl = folder / "systemctl"
    systemctl.write_text("#!/bin/sh\n")
    systemctl.chmod(0o755)
    return folder


@pytest.fixture
def box(tmp_path: Path) -> Path:
    folder = tmp_path / "box"
    (folder / "etc/edged").mkdir(parents=True)
    _configure(folder, "/dev/video0")
    return folder


def _configure(box: Path, source: str) -> None:
    (box / "etc/edged/edged.toml").write_text(f'[[camera]]\nname = "door"\nsource = "{source}"\n')


def _run(script: Path, box: Path, tools: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "ROOT": str(box), "PATH": f"{tools}:{os.environ['PATH']}"}
    return subprocess.run([script, *arguments], env=environment, capture_output=True, text=True, check=False)


def _settle(box: Path, tools: Path, *arguments: str) -> set[str]:
    """Fit the box; return the parts that are switched on then."""
    done = _run(SETTLE, box, tools, *arguments)
    assert done.returncode == 0, done.stderr
    return _parts(box)


def _parts(box: Path) -> set[str]:
    return {str(link.relative_to(box / "etc/systemd")) for link in box.glob("etc/systemd/**/*.conf")}


def test_a_pc_with_a_camera_of_its_own_needs_nothing(box: Path, tools: Path) -> None:
    assert _settle(box, tools) == set()


def test_a_raspberry_pi_may_ask_its_firmware(box: Path, tools: Path) -> None:
    model = box / "proc/device-tree/model"
    model.parent.mkdir(parents=True)
    model.write_bytes(b"Raspberry Pi 5 Model B Rev 1.0\0")
    assert _settle(box, tools) == {"system/edged.service.d/raspberry-pi.conf"}


def test_a_jetson_may_use_its_gpu(box: Path, tools: Path) -> None:
    (box / "etc/nv_tegra_release").write_text("# R36 (release)\n")
    assert _settle(box, tools) == {"system/edged.service.d/jetson.conf"}


def test_a_camera_with_an_address_opens_the_local_network(box: Path, tools: Path) -> None:
    _configure(box, "rtsp://yard.lan/live")
    assert _settle(box, tools) == {"system/edged.service.d/network.conf"}


def test_a_comment_with_an_address_opens_nothing(box: Path, tools: Path) -> None:
    with (box / "etc/edged/edged.toml").open("a") as config:
        config.write('# source = "rtsp://yard.lan/live"\n')
    assert _settle(box, tools) == set()


def test_what_is_switched_on_stays_on_and_can_be_switched_off(box: Path, tools: Path) -> None:
    both = {"system.conf.d/edged.conf", "journald.conf.d/edged.conf"}
    assert _settle(box, tools, "--with", "hardware-watchdog", "--with", "journal") == both
    assert _settle(box, tools) == both
    assert _settle(box, tools, "--without", "journal") == {"system.conf.d/edged.conf"}


def test_every_part_is_a_file_that_is_installed(box: Path, tools: Path) -> None:
    names = ("network", "internet", "hardware-watchdog", "journal", "raspberry-pi", "jetson")
    _settle(box, tools, *[word for name in names for word in ("--with", name)])
    targets = [link.readlink() for link in box.glob("etc/systemd/**/*.conf")]
    assert len(targets) == len(names)
    assert all((ROOT / "systemd" / target.relative_to("/usr/lib/edged")).is_file() for target in targets)


def test_a_part_that_is_not_known_is_refused_before_anything_is_done(box: Path, tools: Path) -> None:
    done = _run(SETTLE, box, tools, "--with", "journal", "--with", "wings")
    assert done.returncode == 2
    assert "hardware-watchdog" in done.stderr
    assert _parts(box) == set()


def test_uninstall_keeps_configuration_data_and_what_is_not_edgeds(box: Path, tools: Path) -> None:
    _settle(box, tools, "--with", "network", "--with", "journal")
    own = box / "etc/systemd/system/edged.service.d/override.conf"
    own.write_text("[Service]\n")
    (box / "var/lib/edged").mkdir(parents=True)
    (box / "opt/edged/bin").mkdir(parents=True)
    assert _run(UNINSTALL, box, tools).returncode == 0
    assert _parts(box) == {"system/edged.service.d/override.conf"}
    assert (box / "etc/edged/edged.toml").exists()
    assert (box / "var/lib/edged").exists()
    assert not (box / "opt/edged").exists()


def test_uninstall_with_purge_leaves_nothing(box: Path, tools: Path) -> None:
    _settle(box, tools, "--with", "network")
    (box / "var/lib/edged").mkdir(parents=True)
    assert _run(UNINSTALL, box, tools, "--purge").returncode == 0
    assert [file for file in box.rglob("*") if "edged" in file.name] == []


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("unshare") is None, reason="mounting takes root and unshare")
def test_uninstall_with_purge_goes_on_where_a_disk_is_mounted(box: Path, tools: Path) -> None:
    data = box / "var/lib/edged"
    data.mkdir(parents=True)
    mounted = f"mount -t tmpfs none {data} && touch {data}/events.db && {UNINSTALL} --purge && ls -A {data}"
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", mounted],
        env={**os.environ, "ROOT": str(box)},
        capture_output=True,
        text=True,
        check=False,
    )
    if "mount" in done.stderr:
        pytest.skip(done.stderr.strip())
    assert (done.returncode, done.stdout.strip()) == (0, "")


def test_uninstall_twice_is_harmless(box: Path, tools: Path) -> None:
    assert _run(UNINSTALL, box, tools).returncode == 0
    assert _run(UNINSTALL, box, tools).returncode == 0
