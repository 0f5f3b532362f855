"""What a run says of the one before it."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from tests.daemon.conftest import Box

pytestmark = pytest.mark.slow


def start_and_kill(box: Box, number: signal.Signals) -> None:
    process = box.start("run", "-c", box.config)
    box.wait_for(process, lambda status: status["state"] == "running")
    process.send_signal(number)
    assert box.end_of(process).code == -number


def next_run(box: Box, clip: Path) -> tuple[str, list[str]]:
    """What its log says, and the reasons of its events `restarted`."""
    box.configure(f'source = "{clip}"')
    ended = box.run_config()
    assert ended.code == 0
    told = [event["reason"] for event in box.events() if event["kind"] == "restarted"]
    return ended.err, told


@pytest.fixture
def waiting(box: Box) -> Box:
    box.configure('source = "/dev/video987"')
    return box


def test_a_clean_end_is_no_news(box: Box, clip: Path) -> None:
    assert next_run(box, clip)[1] == []
    log, told = next_run(box, clip)
    assert "INFO the last run ended by stop" in log
    assert told == []


def test_a_source_that_cannot_be_read_is_no_crash(box: Box, clip: Path) -> None:
    (box.folder / "pictures").mkdir()
    box.configure('source = "pictures"')
    assert box.run_config().code == 3
    log, told = next_run(box, clip)
    assert "WARNING the last run ended by failed" in log
    assert "pictures" in log
    assert told == ["failed"]


def test_a_kill_that_nobody_noted_is_of_unknown_cause(waiting: Box, clip: Path) -> None:
    start_and_kill(waiting, signal.SIGKILL)
    log, told = next_run(waiting, clip)
    assert "WARNING the last run ended by unknown" in log
    assert told == ["unknown"]


def test_a_crash_shows_where_and_the_service_manager_says_by_what(waiting: Box, clip: Path) -> None:
    process = waiting.start("run", "-c", waiting.config)
    waiting.wait_for(process, lambda status: status["state"] == "running")
    process.send_signal(signal.SIGSEGV)
    ended = waiting.end_of(process)
    assert ended.code == -signal.SIGSEGV
    assert "Fatal Python error: Segmentation fault" in ended.err
    assert "in run" in ended.err  # the stacks of the workers
    (waiting.data / "service-result").write_text("core-dump dumped SEGV\n")
    assert next_run(waiting, clip)[1] == ["crash"]


def test_a_boot_in_between_means_that_the_power_was_cut(waiting: Box, clip: Path) -> None:
    start_and_kill(waiting, signal.SIGKILL)
    record = json.loads((waiting.data / "run.json").read_text())
    (waiting.data / "run.json").write_text(json.dumps({**record, "boot_id": "the boot before"}))
    log, told = next_run(waiting, clip)
    assert "the power was cut" in log
    assert told == ["power"]
    status = waiting.status()
    assert status is not None
    assert status["last_end"]["reason"] == "power"
