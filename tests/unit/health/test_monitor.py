from __future__ import annotations

import threading

import pytest

from edged.domain.machine import Throttling, Vitals, Watts
from edged.health.heat import HeatCurve
from edged.health.monitor import UNKNOWN_SHARE, ThermalMonitor
from edged.testing.clock import FakeClock
from edged.testing.events import MemorySink
from edged.testing.health import ScriptedSensors

READ_EVERY_S = 5.0
CURVE = HeatCurve(warn_c=75.0, stop_c=85.0, share_at_stop=0.2, hysteresis_c=3.0)


class Monitored:
    """A machine with a monitor that reads every five seconds."""

    def __init__(self) -> None:
        self.clock, self.sink, self.sensors = FakeClock(monotonic=0.0), MemorySink(), ScriptedSensors()
        self.monitor = ThermalMonitor(self.sensors, curve=CURVE, events=self.sink, clock=self.clock)

    def at(self, temp_c: float | None, *, for_s: float = READ_EVERY_S) -> None:
        """Let it have this temperature for a while."""
        self.sensors.vitals = Vitals(temp_c=temp_c, zone="cpu-thermal", has_sensor=True)
        self.go_on(for_s)

    def supply(self, now: str = "", since_boot: str = "", *, for_s: float = READ_EVERY_S) -> None:
        throttling = Throttling(tuple(now.split()), tuple(since_boot.split()))
        self.sensors.vitals = Vitals(temp_c=50.0, has_sensor=True, throttling=throttling)
        self.go_on(for_s)

    def go_on(self, for_s: float) -> None:
        for _ in range(round(for_s / READ_EVERY_S)):
            self.monitor.step()
            self.clock.advance(READ_EVERY_S)

    @property
    def told(self) -> list[tuple[str, str, float, float]]:
        return [(str(event.kind), event.reason, event.at, event.duration_s) for event in self.sink.machine_events]


@pytest.fixture
def machine() -> Monitored:
    return Monitored()


def test_the_budget_follows_the_temperature(machine: Monitored) -> None:
    shares = []
    for temp_c in (50.0, 75.0, 80.0, 85.0):
        machine.at(temp_c)
        shares.append(machine.monitor.share())
    assert shares == pytest.approx([1.0, 1.0, 0.6, 0.0])


def test_heat_that_lasts_is_told_once_with_its_end(machine: Monitored) -> None:
    machine.at(60.0, for_s=60)
    machine.at(80.0, for_s=100)
    machine.at(60.0, for_s=100)
    assert machine.told == [("too_hot", "warm", 60.0, 0.0), ("cooled_down", "warm", 160.0, 100.0)]


def test_heat_that_passes_at_once_is_not_worth_an_event(machine: Monitored) -> None:
    for _ in range(20):
        machine.at(76.0)
        machine.at(60.0, for_s=10)
    assert machine.told == []


def test_a_stop_is_told_at_once_and_once_however_it_wavers(machine: Monitored) -> None:
    machine.at(80.0, for_s=50)
    for _ in range(10):
        machine.at(85.0, for_s=10)
        machine.at(81.0, for_s=10)
    machine.at(60.0, for_s=100)
    assert machine.told == [
        ("too_hot", "warm", 0.0, 0.0),
        ("too_hot", "stop", 50.0, 0.0),
        ("cooled_down", "stop", 250.0, 250.0),
    ]


def test_a_leap_into_the_stop_has_an_end_too(machine: Monitored) -> None:
    machine.at(60.0)
    machine.at(90.0)
    machine.at(60.0, for_s=100)
    assert machine.told == [("too_hot", "stop", 5.0, 0.0), ("cooled_down", "stop", 10.0, 5.0)]


def test_a_failed_reading_is_never_cool(machine: Monitored) -> None:
    machine.at(60.0)
    machine.at(None, for_s=25)
    assert machine.monitor.share() == 1.0  # the last one is worth something for a while
    machine.at(None, for_s=30)
    assert machine.monitor.heat == "unknown"
    assert machine.monitor.share() == UNKNOWN_SHARE
    assert machine.monitor.status().temp_c is None


@pytest.mark.parametrize(("last_c", "share"), [(84.0, 0.28), (90.0, 0.2)])
def test_who_was_hot_gets_no_more_for_a_sensor_that_fails_but_is_not_blind_for_good(
    machine: Monitored, last_c: float, share: float
) -> None:
    machine.at(last_c)
    machine.at(None, for_s=60)
    assert machine.monitor.share() == pytest.approx(share)


def test_a_sensor_that_never_answered_is_unknown_and_no_sensor_is_no_trouble(machine: Monitored) -> None:
    machine.at(None)
    assert machine.monitor.share() == 1.0  # at the start
    machine.at(None, for_s=40)
    assert machine.monitor.share() == UNKNOWN_SHARE
    bare = Monitored()
    bare.go_on(100)
    assert (bare.monitor.heat, bare.monitor.share()) == ("no sensor", 1.0)


def test_a_reading_that_hangs_is_told_once_and_the_budget_is_careful(
    machine: Monitored, caplog: pytest.LogCaptureFixture
) -> None:
    machine.at(50.0)
    for _ in range(100):  # nobody reads any more, but the main thread asks for the status
        machine.clock.advance(1.0)
        status = machine.monitor.status()
    assert (status.heat, status.budget) == ("unknown", UNKNOWN_SHARE)
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    machine.at(50.0)
    machine.monitor.status()
    assert caplog.records[-1].message == "the temperature is known again"


def test_a_supply_that_sags_is_told_once_until_it_holds(machine: Monitored) -> None:
    machine.supply()
    for _ in range(5):
        machine.supply("under_voltage", "under_voltage")
        machine.supply("", "under_voltage", for_s=30)
    machine.supply("", "under_voltage", for_s=100)
    assert [(kind, reason) for kind, reason, *_ in machine.told] == [
        ("under_voltage", "under_voltage"),
        ("voltage_ok", "under_voltage"),
    ]


def test_a_dip_between_two_readings_is_told_by_its_trace(machine: Monitored) -> None:
    machine.supply()
    machine.supply("", "under_voltage", for_s=100)
    assert [kind for kind, *_ in machine.told] == ["under_voltage", "voltage_ok"]


def test_a_dip_before_edged_started_is_no_event(machine: Monitored, caplog: pytest.LogCaptureFixture) -> None:
    machine.supply("", "under_voltage", for_s=100)
    assert machine.told == []
    assert "sagged before edged started" in caplog.text


def test_the_status_has_what_the_sensors_said(machine: Monitored) -> None:
    machine.sensors.vitals = Vitals(
        61.0, "cpu-thermal", True, Throttling(("throttled",), ("throttled", "under_voltage")), Watts(4.2, "PMIC")
    )
    machine.go_on(READ_EVERY_S)
    status = machine.monitor.status()
    assert (status.temp_c, status.temp_zone, status.heat, status.budget) == (61.0, "cpu-thermal", "ok", 1.0)
    assert (status.power_w, status.power_source) == (4.2, "PMIC")
    assert (status.throttling_now, status.throttling_since_boot) == (["throttled"], ["throttled", "under_voltage"])


def test_the_loop_ends_when_it_is_asked_to(machine: Monitored) -> None:
    stop = threading.Event()
    readings = []

    def read() -> None:
        readings.append(machine.clock.monotonic())
        if len(readings) == 3:
            stop.set()

    machine.sensors.on_read = read
    machine.monitor.run(stop)
    assert readings == [0.0, 5.0, 10.0]
