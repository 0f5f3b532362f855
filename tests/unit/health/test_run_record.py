from __future__ import annotations

import itertools
import json
import mmap
import os
import threading
from pathlib import Path

import pytest

from edged.domain.events import EventKind
from edged.health.disk_probe import ask_disk
from edged.health.run_keeper import RunKeeper
from edged.health.run_record import RunRecord
from edged.health.status_file import write_status
from edged.testing.clock import FakeClock
from edged.testing.events import MemorySink
from tests.unit.health.statuses import a_status


def keeper(folder: Path, *, run_id: str = "run", boot_id: str = "boot-1") -> RunKeeper:
    return made(folder, FakeClock(boot_id=boot_id), run_id=run_id)


def made(folder: Path, clock: FakeClock, *, run_id: str = "run") -> RunKeeper:
    return RunKeeper(folder, run_id=run_id, version="0.1.0", clock=clock, status_path=folder / "run" / "status.json")


def test_the_first_run_has_none_before_it(tmp_path: Path) -> None:
    first, sink = keeper(tmp_path), MemorySink()
    first.tell(sink)
    assert first.last_end is None
    assert sink.events == []


def test_a_named_pipe_in_the_records_place_holds_up_no_start(tmp_path: Path) -> None:
    for name in ("run.json", "service-result"):
        os.mkfifo(tmp_path / name)
    assert keeper(tmp_path).last_end is None
    assert keeper(tmp_path, run_id="next").last_end is not None


@pytest.mark.parametrize(
    ("state", "service_result", "boot_id", "reason", "told"),
    [
        ("stopped", "", "boot-1", "stop", "it was stopped"),
        ("stopped", "success exited 0", "boot-2", "stop", "it was stopped"),
        ("hung: The detect thread hangs.", "exit-code exited 6", "boot-1", "watchdog", "The detect thread hangs."),
        ("hung: The detect thread hangs.", "", "boot-2", "watchdog", "The detect thread hangs."),
        ("failed: the model is broken", "exit-code exited 4", "boot-1", "failed", "the model is broken"),
        ("crashed: ZeroDivisionError", "exit-code exited 6", "boot-1", "crash", "ZeroDivisionError"),
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


class TwoHours(FakeClock):
    """Two hours, in which a keeper hears how it is at each of its waits, and its record is looked at."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.keeper = made(folder, self)
        self.recorded: list[float] = []
        self._path = folder / "run.json"
        self.keeper.run(threading.Event())

    def wait(self, stop: threading.Event, timeout_s: float) -> bool:
        uptime_s = json.loads(self._path.read_text())["uptime_s"]
        self.recorded += [uptime_s] if uptime_s not in self.recorded else []
        self.advance(timeout_s)
        self.keeper(a_status(uptime_s=self.monotonic() - 1000.0))
        if self.monotonic() > 1000.0 + 2 * 3600:
            stop.set()
        return stop.is_set()


def test_the_record_is_renewed_often_at_the_beginning_and_then_every_ten_minutes_with_how_it_is(tmp_path: Path) -> None:
    kept = TwoHours(tmp_path)
    steps = [after - before for before, after in itertools.pairwise(kept.recorded)]
    assert kept.recorded[:6] == [0, 6, 12, 24, 48, 96]
    assert max(steps) == 600
    assert len(steps) < 20
    assert kept.keeper.disk_free_bytes is not None
    assert kept.keeper.disk_free_bytes > 0
    record = json.loads((tmp_path / "run.json").read_text())
    assert record["summary"] == "1 camera; 9.5 frames/s in; 4.8 detected/s; 120 MB"


def disk_reads() -> int:
    """How many bytes this process has read from disks, and not from the system's cache."""
    try:
        lines = Path("/proc/self/io").read_text().splitlines()
    except OSError:
        pytest.skip("this kernel does not count what is read")
    return int(next(line for line in lines if line.startswith("read_bytes:")).split()[1])


def test_the_disk_is_asked_itself_every_half_minute_and_wears_by_none_of_it(tmp_path: Path) -> None:
    probe = tmp_path / "probe"
    probe.write_bytes(bytes(5000))
    before = disk_reads()
    ask_disk(probe)
    if disk_reads() == before:
        pytest.skip("there is no disk below this folder")
    before = disk_reads()
    TwoHours(tmp_path)
    assert disk_reads() - before >= 2 * 3600 / 32 * mmap.PAGESIZE


def test_a_disk_that_cannot_be_asked_is_passed_over(tmp_path: Path) -> None:
    ask_disk(tmp_path / "nothing")
    ask_disk(tmp_path)


def test_a_status_file_that_is_newer_than_the_record_tells_how_it_was(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    keeper(tmp_path, run_id="last")(a_status(run_id="last"))
    last = a_status(run_id="last", uptime_s=700.0, rss_bytes=900_000_000, state="hung: The disk does not answer.")
    write_status(tmp_path / "run" / "status.json", last)
    end = keeper(tmp_path).last_end
    assert end is not None
    assert (end.reason, end.detail, end.uptime_s) == ("watchdog", "The disk does not answer.", 700.0)
    assert "900 MB" in end.summary


class Once(threading.Event):
    """A stop that lets a loop go round once."""

    asked = 0

    def is_set(self) -> bool:
        self.asked += 1
        return self.asked > 1


def test_a_status_file_that_is_as_old_as_the_record_does_not_hide_that_the_main_thread_hung(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    clock = FakeClock()
    last = made(tmp_path, clock, run_id="last")
    status = a_status(run_id="last", uptime_s=90.0004)
    last(status)
    write_status(tmp_path / "run" / "status.json", status)
    clock.advance(60.0)
    last.run(Once())
    end = keeper(tmp_path).last_end
    assert end is not None
    assert end.reason == "watchdog"


def test_a_status_file_of_another_run_tells_nothing_of_this_one(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    keeper(tmp_path, run_id="last")(a_status(run_id="last"))
    write_status(tmp_path / "run" / "status.json", a_status(run_id="the one before", uptime_s=700.0, state="stopped"))
    end = keeper(tmp_path).last_end
    assert end is not None
    assert (end.reason, end.run_id) == ("unknown", "last")


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

    kept = made(tmp_path, Looking())
    kept(a_status())
    kept.run(stop)
    assert list(dict.fromkeys(states)) == ["running", "hung"]
    assert states[-1] == "running"
    end = keeper(tmp_path).last_end
    assert end is not None
    assert end.reason == "unknown"


_ABSURD = dict.fromkeys(RunRecord.__dataclass_fields__, "1") | {"uptime_s": 10**400}


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "{}", '{"state": "running"}', "\x00" * 100, '"stopped"', "[" * 100_000, json.dumps(_ABSURD)],
    ids=["empty", "half", "list", "nothing", "little", "zeros", "text", "deep", "absurd"],
)
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
