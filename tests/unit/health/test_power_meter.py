from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from edged.domain.machine import Watts
from edged.health.board.vitals import BoardSensors
from edged.health.power_meter import Draw, PowerMeter
from edged.testing.clock import FakeClock
from edged.testing.sysfs import FakeBoard

BOARD = "INA3221 VDD_IN"


def telling(powers: Iterator[float | None]) -> Callable[[], Watts | None]:
    def read() -> Watts | None:
        power_w = next(powers)
        return None if power_w is None else Watts(power_w, BOARD)

    return read


def measure(rest: Sequence[float | None], work: Sequence[float | None]) -> Draw | None:
    """The first reading of each is where an energy counter stands; the last one comes after work was told to stop."""
    stop = threading.Event()

    def powers() -> Iterator[float | None]:
        yield from rest
        yield from work[:-2]
        stop.set()
        yield from work[-2:]

    meter = PowerMeter(telling(powers()), clock=FakeClock())
    if meter.rest():
        meter.work(stop)
    return meter.draw()


def test_what_work_takes_is_what_is_drawn_above_rest() -> None:
    draw = measure([9.0] + [3.0] * 8, [9.0, 5.0, 7.0, 6.0])
    assert draw == Draw(rest_w=3.0, busy_w=6.0, source=BOARD)
    assert draw.energy_j(10.0) == pytest.approx(30.0)


def test_a_recording_that_ends_at_once_has_one_reading() -> None:
    assert measure([3.0] * 9, [3.0, 5.0]) == Draw(rest_w=3.0, busy_w=5.0, source=BOARD)


@pytest.mark.parametrize(
    ("rest", "work"),
    [
        ([None, None], []),  # nobody tells
        ([3.0] * 9, [None, None, None]),  # the driver went silent
        ([3.0] * 9, [3.0, 3.0, 3.0]),  # a sensor of something else
    ],
)
def test_what_is_not_known_is_not_made_up(rest: list[float | None], work: list[float | None]) -> None:
    assert measure(rest, work) is None


def test_a_processor_that_counts_its_energy_tells_both_means(tmp_path: Path) -> None:
    clock, board, stop = FakeClock(), FakeBoard(tmp_path), threading.Event()
    sensors = BoardSensors(clock=clock, root=tmp_path, ask=board.ask)
    began_at = clock.monotonic()

    def read() -> Watts | None:
        passed_s = clock.monotonic() - began_at
        if passed_s > 10:
            stop.set()
        rested_s = min(passed_s, 2.0)
        board.set_energy(round(1e6 * (4.0 * rested_s + 10.0 * (passed_s - rested_s))))
        return sensors.watts()

    meter = PowerMeter(read, clock=clock)
    assert meter.rest()
    meter.work(stop)
    draw = meter.draw()
    assert draw is not None
    assert (draw.rest_w, draw.busy_w) == pytest.approx((4.0, 10.0))
    assert draw.source == "RAPL package-0, processor only"
