from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from edged.domain.checkup import Finding, Verdict
from edged.health.doctor.jetson import gpu_clocks
from edged.health.doctor.system import clock_set, hardware_watchdog, memory_controller, network, repair, service
from edged.testing.clock import FakeClock

WELL = {
    "LoadState": "loaded",
    "ActiveState": "active",
    "UnitFileState": "enabled",
    "WatchdogUSec": "30s",
    "NRestarts": "2",
}


def _service(**facts: str) -> Finding:
    def ask(words: Sequence[str]) -> str:
        assert words[:3] == ["systemctl", "show", "edged.service"]
        return "".join(f"{name}={value}\n" for name, value in {**WELL, **facts}.items())

    return service(ask)


def _file(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{text}\n")


def test_a_service_that_runs_and_is_watched_is_well() -> None:
    found = _service()
    assert (found.verdict, found.text) == (Verdict.OK, "runs, watched every 30s, restarted 2 times")


@pytest.mark.parametrize(
    ("facts", "verdict", "mend"),
    [
        ({"LoadState": "not-found"}, Verdict.WARN, "install"),
        ({"ActiveState": "failed"}, Verdict.FAIL, "systemctl start edged"),
        ({"UnitFileState": "disabled"}, Verdict.WARN, "systemctl enable edged"),
        ({"WatchdogUSec": "0"}, Verdict.WARN, "systemctl revert edged"),
    ],
)
def test_a_service_that_is_not_well_comes_with_its_command(facts: dict[str, str], verdict: Verdict, mend: str) -> None:
    found = _service(**facts)
    assert found.verdict is verdict
    assert found.mend is not None
    assert mend in found.mend


def test_a_machine_without_systemd_is_unknown() -> None:
    assert service(lambda words: None).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("told", "verdict"),
    [
        ("LoadState=loaded\nPrivateNetwork=yes\n", Verdict.FAIL),
        ("LoadState=loaded\nPrivateNetwork=no\n", Verdict.OK),
        ("LoadState=not-found\nPrivateNetwork=no\n", Verdict.UNKNOWN),
        (None, Verdict.UNKNOWN),
    ],
)
def test_a_service_without_a_network_cannot_reach_a_camera_with_an_address(told: str | None, verdict: Verdict) -> None:
    assert network(lambda words: told).verdict is verdict


def test_the_memory_controller_of_a_pi_is_off_until_its_kernel_is_told(tmp_path: Path) -> None:
    _file(tmp_path / "sys/fs/cgroup/cgroup.controllers", "cpuset cpu io pids")
    found = memory_controller(tmp_path)
    assert found.verdict is Verdict.WARN
    assert found.mend is not None
    assert "cgroup_enable=memory" in found.mend


def test_a_memory_controller_that_is_on_is_well_in_both_versions(tmp_path: Path) -> None:
    _file(tmp_path / "two/sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory pids")
    (tmp_path / "one/sys/fs/cgroup/memory").mkdir(parents=True)
    assert memory_controller(tmp_path / "two").verdict is Verdict.OK
    assert memory_controller(tmp_path / "one").verdict is Verdict.OK
    assert memory_controller(tmp_path / "none").verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(("state", "verdict"), [("active", Verdict.OK), ("inactive", Verdict.WARN)])
def test_a_hardware_watchdog_is_well_when_it_is_armed(tmp_path: Path, state: str, verdict: Verdict) -> None:
    _file(tmp_path / "sys/class/watchdog/watchdog0/state", state)
    _file(tmp_path / "sys/class/watchdog/watchdog0/identity", "Broadcom BCM2835 Watchdog timer")
    found = hardware_watchdog(tmp_path)
    assert found.verdict is verdict
    assert "BCM2835" in found.text


def test_a_machine_without_a_hardware_watchdog_is_unknown(tmp_path: Path) -> None:
    assert hardware_watchdog(tmp_path).verdict is Verdict.UNKNOWN


def _boot(root: Path, cmdline: str, *, checked: bool, mount: str = "/dev/sda1 / ext4 rw 0 0") -> Finding:
    """A machine that was started with that command line, by an initramfs that checked its disk or by none."""
    _file(root / "proc/mounts", mount)
    _file(root / "proc/cmdline", cmdline)
    if checked:
        _file(root / "run/initramfs/fsck-root", "")
    return repair(root)


@pytest.mark.parametrize(
    ("cmdline", "verdict"),
    [
        ("root=PARTUUID=4e63b7bc-02 rootfstype=ext4 fsck.repair=yes rootwait", Verdict.OK),
        ("root=UUID=1 ro quiet", Verdict.WARN),
        ("root=UUID=1 fsck.repair=preen", Verdict.WARN),
        ("root=UUID=1 fsck.repair=yes fsck.repair=no", Verdict.WARN),
    ],
)
def test_a_torn_root_file_system_is_repaired_by_an_initramfs_that_is_told_so(
    tmp_path: Path, cmdline: str, verdict: Verdict
) -> None:
    assert _boot(tmp_path, cmdline, checked=True).verdict is verdict


def test_a_torn_root_file_system_is_not_repaired_where_the_kernel_must_mount_it_first(tmp_path: Path) -> None:
    found = _boot(tmp_path, "root=/dev/mmcblk0p1 rw rootwait rootfstype=ext4 fsck.repair=yes", checked=False)
    assert found.verdict is Verdict.WARN
    assert "initramfs" in (found.mend or "")


def test_a_root_file_system_other_than_ext4_is_unknown(tmp_path: Path) -> None:
    found = _boot(tmp_path, "quiet", checked=True, mount="overlay / overlay rw 0 0\n/dev/sda1 /data ext4 rw 0 0")
    assert found.verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("file", ["boot/firmware/cmdline.txt", "etc/default/grub", "boot/extlinux/extlinux.conf"])
def test_repair_at_boot_is_asked_for_where_this_boot_loader_looks(tmp_path: Path, file: str) -> None:
    _file(tmp_path / file, "")
    assert f"/{file}" in (_boot(tmp_path, "root=UUID=1 ro quiet", checked=True).mend or "")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may look into any folder")
def test_whether_an_initramfs_checks_the_disk_only_root_may_see(tmp_path: Path) -> None:
    (tmp_path / "run/initramfs").mkdir(parents=True, mode=0o000)
    found = _boot(tmp_path, "root=UUID=1 ro fsck.repair=yes", checked=False)
    assert (found.verdict, found.mend) == (Verdict.UNKNOWN, "sudo edged doctor")


@pytest.mark.parametrize(
    ("synchronised", "verdict"), [(True, Verdict.OK), (False, Verdict.WARN), (None, Verdict.UNKNOWN)]
)
def test_a_clock_is_well_when_it_is_synchronised(synchronised: bool | None, verdict: Verdict) -> None:
    clock = FakeClock()
    clock.is_synchronised = synchronised
    assert clock_set(clock).verdict is verdict


def test_a_jetson_in_a_slow_mode_is_told_how_to_be_faster(tmp_path: Path) -> None:
    _file(tmp_path / "etc/nv_tegra_release", "# R36 (release)")
    _file(tmp_path / "sys/class/devfreq/17000000.gpu/min_freq", "306000000")
    _file(tmp_path / "sys/class/devfreq/17000000.gpu/max_freq", "1020000000")
    mode, clock = gpu_clocks(lambda words: "NV Power Mode: 15W\n2\n", tmp_path)
    assert (mode.verdict, mode.text) == (Verdict.WARN, "15W: not the fastest")
    assert mode.mend == "sudo nvpmodel -p --verbose"
    assert clock.text == "from 306 to 1020 MHz, by load"
    assert clock.mend == "sudo jetson_clocks"


def test_the_fastest_mode_is_found_by_its_name(tmp_path: Path) -> None:
    _file(tmp_path / "etc/nv_tegra_release", "# R36 (release)")
    modes = "< POWER_MODEL ID=0 NAME=15W >\n< POWER_MODEL ID=1 NAME=25W >\n< POWER_MODEL ID=2 NAME=MAXN_SUPER >\n"
    _file(tmp_path / "etc/nvpmodel.conf", f"# modes\n{modes}< PM_CONFIG DEFAULT=1 >\n")
    (mode,) = gpu_clocks(lambda words: "NV Power Mode: 25W\n1\n", tmp_path)
    assert mode.mend == "sudo nvpmodel -m 2, if heat and supply allow it"


def test_a_jetson_at_its_fastest_is_well(tmp_path: Path) -> None:
    _file(tmp_path / "etc/nv_tegra_release", "# R36 (release)")
    _file(tmp_path / "sys/class/devfreq/17000000.gpu/min_freq", "1020000000")
    _file(tmp_path / "sys/class/devfreq/17000000.gpu/max_freq", "1020000000")
    found = list(gpu_clocks(lambda words: "NV Power Mode: MAXN\n0\n", tmp_path))
    assert [each.verdict for each in found] == [Verdict.OK, Verdict.OK]


def test_a_jetson_that_does_not_answer_is_unknown(tmp_path: Path) -> None:
    _file(tmp_path / "etc/nv_tegra_release", "# R36 (release)")
    assert [found.verdict for found in gpu_clocks(lambda words: None, tmp_path)] == [Verdict.UNKNOWN]


def test_nothing_is_said_of_what_is_no_jetson(tmp_path: Path) -> None:
    assert list(gpu_clocks(lambda words: None, tmp_path)) == []
