"""The pause before a start that follows failures: the script as the unit calls it, with a sleep that only tells."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts/installation/back-off"


class Service:
    """A service that ends and is started again, at once."""

    def __init__(self, folder: Path) -> None:
        self.failures = folder / "failures"
        self._slept = folder / "slept"
        tools = folder / "tools"
        tools.mkdir()
        (tools / "sleep").write_text(f'#!/bin/sh\necho "$1" >> {self._slept}\n')
        (tools / "sleep").chmod(0o755)
        self._environment = {"FAILURES": str(self.failures), "PATH": f"{tools}:{os.environ['PATH']}"}

    def end(self, result: str = "exit-code") -> None:
        """End as systemd calls it; the unit's ExecStopPost."""
        self._call("failed-or-not", SERVICE_RESULT=result)

    def start(self) -> float:
        """Start; the unit's ExecStartPre. Return the seconds that it waits."""
        self._slept.write_text("0\n")
        self._call("wait")
        return float(self._slept.read_text().splitlines()[-1])

    def let_pass(self, seconds: float) -> None:
        """Move the last failure back in time."""
        at = self.failures.stat().st_mtime - seconds
        os.utime(self.failures, (at, at))

    def _call(self, argument: str, **more: str) -> None:
        subprocess.run([SCRIPT, argument], env=self._environment | more, check=True, capture_output=True)


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return Service(tmp_path)


def test_the_unit_calls_it_before_each_start_and_after_each_end() -> None:
    unit = (ROOT / "systemd/edged.service").read_text().splitlines()
    assert [line.partition("=")[0] for line in unit if "/usr/lib/edged/back-off wait" in line] == ["ExecStartPre"]
    assert [line.partition("=")[0] for line in unit if "/usr/lib/edged/back-off failed-or-not" in line] == [
        "ExecStopPost"
    ]


def test_a_failure_is_followed_by_a_start_at_once_and_those_in_a_row_by_a_pause_that_stays_below_ten_seconds(
    service: Service,
) -> None:
    pauses = []
    for _ in range(8):
        service.end()
        service.failures.touch()
        pauses.append(service.start())
    expected = [0, 1, 2, 4, 4, 4, 4, 4]
    assert all(wanted - 1 <= found <= wanted for found, wanted in zip(pauses, expected, strict=True))  # whole seconds


def test_nothing_is_waited_for_where_nothing_failed(service: Service) -> None:
    assert service.start() == 0
    service.end("success")
    assert service.start() == 0


def test_a_clean_end_or_a_minutes_work_begins_anew(service: Service) -> None:
    for _ in range(5):
        service.end()
    service.end("success")
    service.end()
    assert service.start() == 0
    for _ in range(5):
        service.end()
    service.let_pass(100.0)
    service.end("watchdog")
    assert service.start() == 0


def test_what_has_passed_already_is_not_waited_for_again(service: Service) -> None:
    for _ in range(8):
        service.end()
    service.let_pass(20.0)  # as long as a person took to mend the configuration
    assert service.start() == 0


def test_a_clock_that_was_set_back_makes_nobody_wait(service: Service) -> None:
    for _ in range(8):
        service.end()
    service.let_pass(-1e6)
    assert service.start() == 0
