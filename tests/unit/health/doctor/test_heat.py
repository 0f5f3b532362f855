from __future__ import annotations

from pathlib import Path

from edged.domain.checkup import Verdict
from edged.domain.machine import Throttling, Vitals
from edged.health.doctor.heat import fan, governor, supply, temperature


def _policy(root: Path, **values: str) -> None:
    folder = root / "sys/devices/system/cpu/cpufreq/policy0"
    folder.mkdir(parents=True)
    for name, value in values.items():
        (folder / name).write_text(f"{value}\n")


def _fan(root: Path, speed_rpm: str) -> None:
    chip = root / "sys/class/hwmon/hwmon2"
    chip.mkdir(parents=True)
    (chip / "name").write_text("pwmfan\n")
    (chip / "fan1_input").write_text(f"{speed_rpm}\n")


def test_a_cool_board_is_well_and_a_warm_one_is_warned_of() -> None:
    assert temperature(Vitals(temp_c=61.0, zone="cpu-thermal"), warn_c=75.0).verdict is Verdict.OK
    assert temperature(Vitals(temp_c=75.0, zone="cpu-thermal"), warn_c=75.0).verdict is Verdict.WARN


def test_a_silent_sensor_is_unknown_and_never_cool() -> None:
    found = temperature(Vitals(has_sensor=True), warn_c=75.0)
    assert found.verdict is Verdict.UNKNOWN
    assert "does not answer" in found.text


def test_under_voltage_that_is_over_is_still_told() -> None:
    found = supply(Throttling(now=(), since_boot=("under_voltage",)))
    assert found.verdict is Verdict.WARN
    assert "since the boot" in found.text
    assert found.mend is not None
    assert "supply" in found.mend


def test_throttling_by_heat_asks_for_air() -> None:
    found = supply(Throttling(now=("throttled",), since_boot=("throttled",)))
    assert found.text == "throttled now"
    assert found.mend is not None
    assert "fan" in found.mend


def test_a_sound_supply_is_well_and_a_board_that_does_not_tell_is_unknown() -> None:
    assert supply(Throttling()).verdict is Verdict.OK
    assert supply(None).verdict is Verdict.UNKNOWN


def test_a_processor_held_at_its_lowest_clock_is_warned_of(tmp_path: Path) -> None:
    _policy(tmp_path, scaling_governor="powersave", scaling_driver="cpufreq-dt")
    found = governor(tmp_path)
    assert found.verdict is Verdict.WARN
    assert found.mend is not None
    assert "performance" in found.mend


def test_powersave_of_a_processor_that_chooses_by_itself_is_well(tmp_path: Path) -> None:
    _policy(tmp_path, scaling_governor="powersave", scaling_driver="intel_pstate")
    assert governor(tmp_path).verdict is Verdict.OK


def test_a_clock_that_the_kernel_does_not_set_is_unknown(tmp_path: Path) -> None:
    assert governor(tmp_path).verdict is Verdict.UNKNOWN


def test_a_fan_that_stands_still_is_warned_of_only_when_it_is_warm(tmp_path: Path) -> None:
    _fan(tmp_path, "0")
    assert [found.verdict for found in fan(Vitals(temp_c=45.0), tmp_path)] == [Verdict.OK]
    assert [found.verdict for found in fan(Vitals(temp_c=70.0), tmp_path)] == [Verdict.WARN]


def test_nothing_is_said_of_a_machine_without_a_fan(tmp_path: Path) -> None:
    assert list(fan(Vitals(temp_c=70.0), tmp_path)) == []
