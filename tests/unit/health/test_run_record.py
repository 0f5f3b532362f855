from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from edged.domain.events import EventKind
from edged.health.run_keeper import RunKeeper
from edged.testing.clock import FakeClock
from edged.testing.events import MemorySink
from tests.unit.health.statuses import a_status


def keeper(folder: Path, *, run_id: str = "run", boot_id: str = "boot-1") -> RunKeeper:
    return RunKeeper(folder, run_id=run_id, version="0.1.0", clock=FakeClock(boot_id=boot_id))


def test_the_first_run_has_none_before_it(tmp_path: Path) -> None:
    first, sink = keeper(tmp_path), MemorySink()
    first.tell(sink)
    assert first.last_end is None
    assert sink.events == []


@pytest.mark.parametrize(
    ("state", "service_result", "boot_id", "reason", "told"),
    [
        ("stopped", "", "boot-1", "stop", "it was stopped"),
        ("stopped", "success exited 0", "boot-2", "stop", "it was stopped"),
        ("hung: The detect thread hangs.", "exit-code exited 6", "boot-1", "watchdog", "The detect thread hangs."),
        ("hung: The detect thread hangs.", "", "boot-2", "watchdog", "The detect thread hangs."),
        ("failed: the model is broken", "exit-code exited 4", "boot-1", "crash", "the model is broken"),
        ("running", "watchdog killed ABRT", "boot-1", "watchdog", "its main thread hung"),
        ("running", "oom-kill killed KILL", "boot-1", "oom", "memory ran out"),
        ("running", "core-dump dumped SEGV", "boot-1", "crash", "crashed with signal SEGV"),
        ("running", "signal killed SEGV", "boot-1", "crash", "ended by signal SEGV"),
        ("running", "signal killed KILL", "boot-1", "killed", "or the kernel did"),
        ("running", "timeout killed KILL", "boot-1", "killed", "too long"),
        ("running", "exit-code exited 9", "boot-1", "watchdog", "its log says which"),
        ("running", "exit-code exited 1", "boot-1", "crash", "exit code 1"),
        ("running", "success exited 0", "boot-1", "stop", "a clean end"),
        ("running", "a-new-word", "boot-1", "unknown", "a-new-word"),
        ("running", "", "boot-2", "power", "the power was cut"),
        ("running", "signal killed SEGV\nboot-1", "boot-2", "crash", "ended by signal SEGV"),
        ("running", "exit-code exited 4\nboot-2", "boot-2", "power", "the power was cut"),  # of a failed start since
        ("running", "", "boot-1", "unknown", "killed or crashed"),
    ],
)
def test_the_next_run_knows_why_the_last_one_ended(
    tmp_path: Path, state: str, service_result: str, boot_id: str, reason: str, told: str
) -> None:
    last = keeper(tmp_path, run_id="last")
    last(a_status(state="running"))
    if state != "running":
        last(a_status(state=state))
    if service_result:
        (tmp_path / "service-result").write_text(f"{service_result}\n")
    next_one, sink = keeper(tmp_path, boot_id=boot_id), MemorySink()
    next_one.tell(sink)
    end = next_one.last_end
    assert end is not None
    assert (end.reason, end.run_id) == (reason, "last")
    assert told in end.detail
    events = [(event.kind, event.reason) for event in sink.machine_events]
    assert events == ([] if reason == "stop" else [(EventKind.RESTARTED, reason)])


def test_what_systemd_said_is_not_taken_for_the_end_of_a_later_run(tmp_path: Path) -> None:
    keeper(tmp_path)
    (tmp_path / "service-result").write_text("oom-kill killed KILL\n")
    keeper(tmp_path)
    end = keeper(tmp_path).last_end
    assert end is not None
    assert end.reason == "unknown"


def test_while_it_runs_the_record_is_renewed_once_a_minute_with_how_it_is(tmp_path: Path) -> None:
    clock, stop, seen = FakeClock(), threading.Event(), []

    class Looking(FakeClock):
        def wait(self, stop: threading.Event, timeout_s: float) -> bool:
            seen.append(json.loads((tmp_path / "run.json").read_text())["uptime_s"])
            kept(a_status(uptime_s=clock.monotonic() - 1000))
            clock.advance(timeout_s)
            if clock.monotonic() > 1100:
                stop.set()
            return stop.is_set()

        def monotonic(self) -> float:
            return clock.monotonic()

    kept = RunKeeper(tmp_path, run_id="run", version="0.1.0", clock=Looking())
    kept.run(stop)
    assert len(set(seen)) == 3  # of the start, after a minute, after two
    assert kept.disk_free_bytes is not None
    assert kept.disk_free_bytes > 0
    record = json.loads((tmp_path / "run.json").read_text())
    assert record["summary"] == "1 camera; 9.5 frames/s in; 4.8 detected/s; 120 MB"


def test_a_main_thread_that_gives_no_sign_is_recorded_in_case_that_is_its_end(tmp_path: Path) -> None:
    stop, states = threading.Event(), []

    class Looking(FakeClock):
        def wait(self, stop: threading.Event, timeout_s: float) -> bool:
            states.append(json.loads((tmp_path / "run.json").read_text())["state"].partition(":")[0])
            self.advance(timeout_s)
            if self.monotonic() > 1050.0:
                kept(a_status())  # it came back
            if self.monotonic() > 1060.0:
                stop.set()
            return stop.is_set()

    kept = RunKeeper(tmp_path, run_id="run", version="0.1.0", clock=Looking())
    kept(a_status())
    kept.run(stop)
    assert list(dict.fromkeys(states)) == ["running", "hung"]
    assert states[-1] == "running"
    end = keeper(tmp_path).last_end
    assert end is not None
    assert end.reason == "unknown"


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"state": "running"}', "\x00" * 100, '"stopped"'])
def test_a_record_without_sense_is_told_and_is_no_reason_not_to_start(
    tmp_path: Path, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "run.json").write_text(content)
    assert keeper(tmp_path).last_end is None
    assert "the record of the last run cannot be read" in caplog.text
    assert keeper(tmp_path).last_end is not None


def test_a_folder_that_cannot_be_written_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    kept = keeper(tmp_path / "gone")
    kept(a_status(state="stopped"))
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "cannot be written" in caplog.text
