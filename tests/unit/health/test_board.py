"""What boards say of heat, throttling and power, from trees laid out as theirs."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edged.domain.machine import THROTTLING, Throttling, Vitals, Watts
from edged.health.board.pi import decode_throttled
from edged.health.board.vitals import BoardSensors
from edged.health.board.zones import ThermalZone, thermal_zones
from edged.health.programs import ask_program
from edged.testing.clock import FakeClock
from edged.testing.sysfs import FakeBoard

PMIC = """\
3V7_WL_SW_A current(0)=0.00390372A
   3V3_SYS_A current(1)=0.05953173A
   VDD_CORE_A current(7)=1.30000000A
   3V7_WL_SW_V volt(8)=3.70000000V
   3V3_SYS_V volt(9)=3.30000000V
   VDD_CORE_V volt(15)=0.80000000V
      EXT5V_V volt(24)=5.15000000V
       BATT_V volt(25)=0.00488279V
"""  # as a Raspberry Pi 5 prints it, shortened; the last two rails have no current


PMIC_LIKE = r"[A-Z0-9_]{1,9}_[AV] (current|volt)\([0-9]\)=[0-9.]{1,6}[AV]\n"
THROTTLED_LIKE = r"(throttled=0x[0-9a-fA-F]{0,12}|temp=-?[0-9.]{0,6}'C)\n?"


@pytest.fixture
def board(tmp_path: Path) -> FakeBoard:
    return FakeBoard(tmp_path)


def read(board: FakeBoard) -> Vitals:
    return BoardSensors(clock=FakeClock(), root=board.root, ask=board.ask).read()


def test_a_machine_without_sensors_says_nothing(board: FakeBoard) -> None:
    assert read(board) == Vitals()


def test_a_raspberry_pi_5_says_all(board: FakeBoard) -> None:
    board.set_zone("cpu-thermal", 61.2)
    board.firmware = {"get_throttled": "throttled=0x50005\n", "pmic_read_adc": PMIC}
    sum_w = 0.00390372 * 3.7 + 0.05953173 * 3.3 + 1.3 * 0.8
    assert read(board) == Vitals(
        temp_c=61.2,
        zone="cpu-thermal",
        has_sensor=True,
        throttling=Throttling(("under_voltage", "throttled"), ("under_voltage", "throttled")),
        watts=Watts(round(1.1451 * sum_w + 0.5879, 2), "PMIC, estimated"),
    )
    assert "measure_temp" not in board.asked  # the kernel has told


def test_each_bit_of_the_firmware_has_its_word() -> None:
    for index, word in enumerate(THROTTLING):
        assert decode_throttled(1 << index) == Throttling(now=(word,))
        assert decode_throttled(1 << (16 + index)) == Throttling(since_boot=(word,))
    assert decode_throttled(0) == Throttling()
    assert decode_throttled(0xF000F) == Throttling(THROTTLING, THROTTLING)


def test_without_a_zone_the_firmware_is_asked_for_the_temperature(board: FakeBoard) -> None:
    board.firmware = {"measure_temp": "temp=48.3'C\n"}
    vitals = read(board)
    assert (vitals.temp_c, vitals.zone, vitals.has_sensor) == (48.3, "vcgencmd", True)


@pytest.mark.parametrize("answer", ["", 'error=1 error_msg="Command not registered"\n', "temp=nan'C", "temp=48.3"])
def test_what_the_firmware_says_without_sense_is_unknown(board: FakeBoard, answer: str) -> None:
    board.firmware = dict.fromkeys(("measure_temp", "get_throttled", "pmic_read_adc"), answer)
    assert read(board) == Vitals()


def test_a_firmware_that_does_not_answer_is_left_alone_for_a_minute(board: FakeBoard) -> None:
    clock = FakeClock()
    sensors = BoardSensors(clock=clock, root=board.root, ask=board.ask)
    for _ in range(12):
        sensors.read()
        clock.advance(5.0)
    assert len(board.asked) == 3
    sensors.read()
    assert len(board.asked) == 6


def test_a_jetson_goes_by_the_hottest_zone_of_its_chip_and_by_its_input(board: FakeBoard) -> None:
    zones = {"cpu-thermal": 51.0, "gpu-thermal": 55.5, "cv0-thermal": None, "tj-thermal": 54.0, "PMIC-Die": 100.0}
    for kind, temp_c in zones.items():
        board.set_zone(kind, temp_c)
    board.add_hwmon("cpu_fan", pwm1="80")
    board.add_hwmon(
        "ina3221",
        in1_label="VDD_IN",
        in1_input=5032,
        curr1_input=1520,
        in2_label="VDD_CPU_GPU_CV",
        in2_input=5024,
        curr2_input=480,
    )
    vitals = read(board)
    assert (vitals.temp_c, vitals.zone) == (55.5, "gpu-thermal")
    assert vitals.watts == Watts(7.65, "INA3221 VDD_IN")


@pytest.mark.parametrize("temp_c", [None, 0.0, -273.2, 1000.0])
def test_a_sensor_that_fails_or_lies_is_unknown_and_never_cool(board: FakeBoard, temp_c: float | None) -> None:
    board.set_zone("cpu-thermal", temp_c)
    vitals = read(board)
    assert vitals.temp_c is None
    assert vitals.has_sensor


def test_a_text_that_is_no_number_is_unknown(board: FakeBoard) -> None:
    board.set_zone("cpu-thermal", 50.0)
    (board.root / "sys/class/thermal/thermal_zone0/temp").write_text("N/A\n")
    assert thermal_zones(board.root) == [ThermalZone("cpu-thermal", None)]


def test_where_no_zone_is_known_for_the_processors_the_hottest_of_all_counts(board: FakeBoard) -> None:
    board.set_zone("acpitz", 41.0)
    board.set_zone("zone-of-a-new-board", 43.0)
    assert read(board).zone == "zone-of-a-new-board"


@pytest.mark.parametrize(("alarm", "now"), [("0", ()), ("1", ("under_voltage",))])
def test_where_the_firmware_may_not_be_asked_the_kernels_alarm_tells_of_the_supply(
    board: FakeBoard, alarm: str, now: tuple[str, ...]
) -> None:
    board.add_hwmon("rpi_volt", in0_lcrit_alarm=alarm)
    assert read(board).throttling == Throttling(now=now)


def test_an_x86_processor_counts_energy_and_its_counter_wraps(board: FakeBoard) -> None:
    clock = FakeClock()
    sensors = BoardSensors(clock=clock, root=board.root, ask=board.ask)
    told = []
    for energy_uj in (100_000_000, 150_000_000, 2_000_000, None, 10_000_000, 20_000_000):
        board.set_energy(energy_uj, range_uj=160_000_000)
        watts = sensors.read().watts
        told.append(watts and watts.power_w)
        clock.advance(5.0)
    assert told == [None, 10.0, 2.4, None, None, 2.0]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=40), st.text(max_size=40) | st.from_regex(PMIC_LIKE) | st.from_regex(THROTTLED_LIKE))
def test_whatever_drivers_and_firmware_say_is_a_number_or_unknown(tmp_path: Path, content: bytes, answer: str) -> None:
    with tempfile.TemporaryDirectory(dir=tmp_path) as folder:
        board = FakeBoard(Path(folder))
        board.set_zone("cpu-thermal", 50.0)
        board.set_energy(1)
        chip = board.add_hwmon("ina3221", in1_label="VDD_IN", in1_input=5000, curr1_input=1000)
        zone = board.root / "sys/class/thermal/thermal_zone0"
        for file in (zone / "temp", chip / "in1_input", board.root / "sys/class/powercap/intel-rapl:0/energy_uj"):
            file.write_bytes(content)
        board.firmware = dict.fromkeys(("measure_temp", "get_throttled", "pmic_read_adc"), answer)
        clock = FakeClock()
        sensors = BoardSensors(clock=clock, root=board.root, ask=board.ask)
        for _ in range(2):
            vitals = sensors.read()
            clock.advance(5.0)
            numbers = [vitals.temp_c, None if vitals.watts is None else vitals.watts.power_w]
            assert all(number is None or math.isfinite(number) for number in numbers)


def script(folder: Path, text: str) -> Path:
    program = folder / "vcgencmd"
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)
    return folder


def test_the_real_program_is_run_and_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{script(tmp_path, 'echo throttled=0x$#')}:/usr/bin:/bin")
    assert ask_program(["vcgencmd", "get_throttled"], within_s=30.0) == "throttled=0x1\n"


@pytest.mark.parametrize("text", ["exit 255", "kill -SEGV $$", "sleep 60"])
def test_a_program_that_fails_or_hangs_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("PATH", f"{script(tmp_path, text.replace('sleep', 'exec sleep'))}:/usr/bin:/bin")
    assert ask_program(["vcgencmd", "get_throttled"], within_s=0.5) is None


def test_a_machine_without_the_program_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert ask_program(["vcgencmd", "get_throttled"]) is None
