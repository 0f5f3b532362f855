from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edged.domain.health import CameraStatus, DaemonStatus, StoreStatus
from edged.errors import DaemonNotRunning, StatusUnreadable, StoreNotWritable
from edged.health.status_file import (
    STALE_AFTER_S,
    StatusFile,
    process_is_alive,
    read_status,
    trouble,
    write_status,
)

NOW = 1_700_000_000.0


def status(**changed: Any) -> DaemonStatus:
    facts: dict[str, Any] = {
        "version": "0.1.0",
        "pid": os.getpid(),
        "run_id": "run-1",
        "state": "running",
        "started_wall_at": NOW - 100,
        "written_wall_at": NOW,
        "uptime_s": 100.0,
        "model": "builtin",
        "backend": "ncnn",
        "inference_p50_ms": 12.5,
        "inference_p99_ms": None,
        "rss_bytes": 120_000_000,
        "store": StoreStatus(written=3, error="disk full"),
        "cameras": [CameraStatus("yard", "running", frames=10, frames_expected=None, fps_in=9.5)],
    }
    return DaemonStatus(**{**facts, **changed})


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    write_status(tmp_path / "status.json", status())
    assert read_status(tmp_path / "status.json") == status()


def test_a_new_status_replaces_the_old_one_and_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "status.json"
    write_status(path, status())
    write_status(path, status(state="stopped"))
    assert read_status(path).state == "stopped"
    assert list(tmp_path.iterdir()) == [path]


def test_a_reader_who_has_the_file_open_never_sees_half_of_the_next(tmp_path: Path) -> None:
    path = tmp_path / "status.json"
    write_status(path, status())
    with path.open() as reader:
        write_status(path, status(state="stopped"))
        assert json.loads(reader.read())["state"] == "running"


def test_a_folder_that_is_not_there_cannot_be_written_to(tmp_path: Path) -> None:
    with pytest.raises(StoreNotWritable, match="No such file"):
        write_status(tmp_path / "gone" / "status.json", status())


@contextmanager
def a_full_disk(path: Path) -> Iterator[None]:
    """Let nothing be written to a new file beside `path`."""
    draft = path.with_name(path.name + ".tmp")
    draft.symlink_to("/dev/full")
    yield
    assert not draft.is_symlink()


@pytest.mark.parametrize("state", ["stopped", "failed: " + "x" * 300, ""])
def test_a_full_disk_leaves_the_status_up_to_date(tmp_path: Path, state: str) -> None:
    path = tmp_path / "status.json"
    write_status(path, status())
    with a_full_disk(path):
        write_status(path, status(state=state))
    assert read_status(path) == status(state=state)
    write_status(path, status())
    assert read_status(path) == status()
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_without_room_for_a_longer_status_leaves_the_last_one_whole(tmp_path: Path) -> None:
    path = tmp_path / "status.json"
    write_status(path, status())
    with a_full_disk(path), pytest.raises(StoreNotWritable, match="No space left"):
        write_status(path, status(state="x" * 1_000_000))
    assert read_status(path) == status()


def test_the_first_status_on_a_full_disk_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "status.json"
    with a_full_disk(path), pytest.raises(StoreNotWritable, match="No space left"):
        write_status(path, status())


def test_a_reader_who_meets_half_a_status_looks_once_more(tmp_path: Path) -> None:
    write_status(tmp_path / "status.json", status())
    (tmp_path / "half.json").write_bytes((tmp_path / "status.json").read_bytes()[:40])

    class Overwritten(type(tmp_path)):  # type: ignore[misc]
        """A path whose file is being overwritten when it is first read."""

        looks = 0

        def __fspath__(self) -> str:
            Overwritten.looks += 1
            return str(self.with_name("half.json") if Overwritten.looks == 1 else self)

    assert read_status(Overwritten(tmp_path / "status.json")) == status()
    assert Overwritten.looks == 2


def test_no_status_means_that_no_daemon_runs(tmp_path: Path) -> None:
    with pytest.raises(DaemonNotRunning, match="No daemon has written"):
        read_status(tmp_path / "status.json")


def damaged(**changed: Any) -> str:
    facts = json.loads(json.dumps({"store": {}, "cameras": [], "version": "1", "pid": 1, "run_id": "", "state": ""}))
    facts |= {"started_wall_at": 0, "written_wall_at": 0, "uptime_s": 0, "model": "", "backend": ""}
    facts |= {"inference_p50_ms": None, "inference_p99_ms": None, "rss_bytes": 0}
    return json.dumps({**facts, **changed})


def test_fields_of_a_newer_version_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "status.json").write_text(damaged(temperature_c=71.5, store={"written": 1, "synced": 2}))
    assert read_status(tmp_path / "status.json").store == StoreStatus(written=1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        "\udcff",
        "[" * 100_000,
        damaged(pid="12"),
        damaged(uptime_s=None),
        damaged(cameras=None),
        damaged(cameras=[3]),
        damaged(cameras=[{"camera": "yard"}]),
        damaged(store=None),
        damaged(store={"error": 5}),
        damaged(inference_p50_ms="fast"),
    ],
)
def test_a_file_that_is_no_status_is_refused_in_words(tmp_path: Path, text: str) -> None:
    (tmp_path / "status.json").write_text(text, errors="surrogateescape")
    with pytest.raises(StatusUnreadable, match="is no status of this version"):
        read_status(tmp_path / "status.json")


@given(st.binary(max_size=100))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_refused_in_words(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "status.json").write_bytes(data)
    with pytest.raises(StatusUnreadable):
        read_status(tmp_path / "status.json")


def test_a_folder_in_the_files_place_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(StatusUnreadable, match="cannot be read"):
        read_status(tmp_path)


def test_a_named_pipe_in_the_files_place_is_refused_in_words(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "status.json")
    with pytest.raises(StatusUnreadable, match="is no status"):
        read_status(tmp_path / "status.json")


def test_a_daemon_that_wrote_just_now_and_lives_is_well() -> None:
    assert trouble(status(), wall_now=NOW + 2, is_alive=lambda pid: True) is None


def test_a_daemon_that_said_goodbye_is_stopped() -> None:
    assert trouble(status(state="stopped"), wall_now=NOW, is_alive=lambda pid: True) == "stopped"


def test_a_daemon_that_failed_says_why() -> None:
    failed = status(state="failed: the disk is full.")
    assert trouble(failed, wall_now=NOW, is_alive=lambda pid: False) == "failed: the disk is full"


def test_a_daemon_whose_process_is_gone_was_killed() -> None:
    assert "is gone" in (trouble(status(), wall_now=NOW, is_alive=lambda pid: False) or "")


@pytest.mark.parametrize("passed_s", [STALE_AFTER_S + 1, -STALE_AFTER_S - 1])
def test_a_daemon_that_lives_and_says_nothing_hangs(passed_s: float) -> None:
    assert "hangs" in (trouble(status(), wall_now=NOW + passed_s, is_alive=lambda pid: True) or "")


def test_this_process_is_alive_and_impossible_ones_are_not() -> None:
    assert process_is_alive(os.getpid())
    assert not any(process_is_alive(pid) for pid in (0, -1, 2**40))


def test_a_disk_that_comes_and_goes_is_told_of_once_and_again_after_a_quiet_time(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "there"
    write = StatusFile(folder / "status.json")

    def try_with_folder(*, there: bool, times: int = 1) -> None:
        for _ in range(times):
            if there:
                folder.mkdir(exist_ok=True)
            else:
                shutil.rmtree(folder, ignore_errors=True)
            write(status())

    for _ in range(10):
        try_with_folder(there=False)
        try_with_folder(there=True, times=5)
    assert len(caplog.records) == 1
    try_with_folder(there=True, times=60)
    try_with_folder(there=False, times=3)
    assert len(caplog.records) == 2
