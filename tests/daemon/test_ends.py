"""How a run ends, gently and not, and what the next one finds."""

from __future__ import annotations

import ctypes
import resource
import signal
from pathlib import Path

import pytest

from tests.daemon.conftest import Box

pytestmark = pytest.mark.slow

_PR_CAPBSET_DROP, _CAP_DAC_OVERRIDE = 24, 1  # linux/prctl.h, linux/capability.h
UNCLEAN = "the last run did not end cleanly"


def obey_permissions() -> None:
    """In the child: even root may not write where the folder's mode says no."""
    ctypes.CDLL(None).prctl(_PR_CAPBSET_DROP, _CAP_DAC_OVERRIDE, 0, 0, 0)


def limit_files(size_bytes: int) -> None:
    """In the child: no file grows beyond this, as on a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, resource.RLIM_INFINITY))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_a_clean_end_and_all_is_committed(box: Box, long_clip: Path, number: signal.Signals) -> None:
    box.configure(f'source = "{long_clip}"')
    process = box.start("run", "-c", box.config)
    box.wait_for(process, lambda status: bool(status["store"]["written"] >= 2))
    process.send_signal(number)
    ended = box.end_of(process, within_s=5.0)

    assert (ended.code, ended.complaints) == (0, "")
    status, events = box.status(), box.events()
    assert status is not None
    assert status["state"] == "stopped"
    assert status["store"]["waiting"] == 0
    assert len(events) == status["store"]["written"] == status["cameras"][0]["events"]
    kinds = [event["kind"] for event in events]
    assert kinds.count("appeared") == kinds.count("left")


def test_after_a_kill_the_committed_events_are_there_and_the_next_run_says_so(
    box: Box, clip: Path, long_clip: Path
) -> None:
    box.configure(f'source = "{long_clip}"')
    process = box.start("run", "-c", box.config)
    seen = box.wait_for(process, lambda status: bool(status["store"]["written"] >= 2))["store"]["written"]
    process.kill()
    assert box.end_of(process).code == -signal.SIGKILL
    events = box.events()
    assert len(events) >= seen
    shown = box.run("status", "--data", box.data)
    assert shown.code == 6
    shown.told("is gone, without a word of farewell")

    box.configure(f'source = "{clip}"')
    again = box.run_config()
    assert again.code == 0
    assert UNCLEAN in again.err
    assert len(box.events()) == len(events) + 4 + 1  # that it restarted
    assert UNCLEAN not in box.run_config().err


def test_the_second_daemon_on_a_data_folder_is_refused_and_the_first_goes_on(box: Box, clip: Path) -> None:
    box.configure('source = "/dev/video987"')
    first = box.start("run", "-c", box.config)
    box.wait_for(first, lambda status: status["state"] == "running")
    box.configure(f'source = "{clip}"')
    of_the_first = "1,1,10.00,20.00,30.00,60.00,0.5000,-1,-1,-1\n"
    (box.folder / "t.txt").write_text(of_the_first)
    second = box.run_config("--trace", "t.txt")
    assert second.code == 5
    assert (box.folder / "t.txt").read_text() == of_the_first
    second.told(f"another edged (pid {first.pid})", str(box.data))
    assert first.poll() is None
    status = box.status()
    assert status is not None
    assert status["pid"] == first.pid


def test_a_daemon_that_would_write_anothers_status_is_refused_though_its_data_folder_is_its_own(
    box: Box, clip: Path
) -> None:
    box.status_folder = box.folder / "run"
    box.configure('source = "/dev/video987"', top='runtime_dir = "run"')
    first = box.start("run", "-c", box.config)
    box.wait_for(first, lambda status: status["state"] == "running")
    another = box.folder / "another.toml"
    another.write_text(box.config.read_text().replace('"data"', '"others"'))
    second = box.run("run", "-c", another)
    assert second.code == 5
    second.told(f"another edged (pid {first.pid})", str(box.status_folder), "runtime_dir of its own")
    assert first.poll() is None
    another.write_text(another.read_text().replace('"run"', '"others/../others"').replace("/dev/video987", str(clip)))
    assert box.run("run", "-c", another).code == 0


def test_a_disk_with_no_space_loses_events_loudly(box: Box, clip: Path) -> None:
    box.configure(f'source = "{clip}"')
    ended = box.run("run", "-c", box.config, preexec_fn=lambda: limit_files(0))
    assert ended.code == 5
    ended.told(str(box.data), "4 events are lost")
    assert box.run_config().code == 0
    assert len(box.events()) == 4


def test_a_reader_that_finds_no_space_for_what_it_needs_says_so(box: Box, clip: Path) -> None:
    box.configure(f'source = "{clip}"')
    assert box.run_config().code == 0
    for beside in box.data.glob("events.db-*"):
        beside.unlink()
    ended = box.run("events", "--data", box.data, preexec_fn=lambda: limit_files(0))
    assert ended.code == 5
    ended.told("events.db: disk I/O error", "df -h")


def test_events_wait_in_memory_until_the_disk_has_space_again(box: Box, clip: Path) -> None:
    box.configure(f'source = "{clip}"', 'source = "/dev/video987"')
    process = box.start("run", "-c", box.config, preexec_fn=lambda: limit_files(8192))
    status = box.wait_for(process, lambda status: bool(status["store"]["error"] and status["store"]["waiting"] == 5))
    assert str(box.data) in status["store"]["error"]
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    box.wait_for(process, lambda status: bool(status["store"]["written"] == 5 and not status["store"]["error"]))
    process.terminate()
    assert box.end_of(process).code == 0
    kinds = [event["kind"] for event in box.events()]
    assert kinds.count("camera_lost") == 1
    assert [kind for kind in kinds if kind != "camera_lost"] == ["appeared", "left"] * 2


def test_a_trace_on_a_full_disk_costs_nothing_but_itself(box: Box, long_clip: Path) -> None:
    box.configure(f'source = "{long_clip}"')
    ended = box.run_config("--trace", "/dev/full")
    assert ended.code == 7
    ended.told("edged goes on", "The trace /dev/full cannot be written: No space left on device.")
    assert ended.err.count("edged goes on") == 1
    assert len(box.events()) == 100
    status = box.status()
    assert status is not None
    assert status["state"] == "stopped"


def test_a_data_folder_that_may_not_be_written_is_told_at_once(box: Box) -> None:
    box.configure('source = "/dev/video987"')  # would be waited for without end
    box.data.mkdir()
    box.data.chmod(0o555)
    ended = box.run("run", "-c", box.config, preexec_fn=obey_permissions)
    box.data.chmod(0o755)
    assert ended.code == 5
    ended.told(str(box.data), "Permission denied")


def test_the_folder_of_the_status_file_is_made(box: Box, clip: Path) -> None:
    box.configure(f'source = "{clip}"', top='runtime_dir = "run/edged"')
    ended = box.run_config()
    assert (ended.code, ended.complaints) == (0, "")
    assert box.run("status", "-c", box.config).code == 6  # it has stopped, but it is known
    assert (box.folder / "run" / "edged" / "status.json").exists()
