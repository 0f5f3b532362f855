from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edged.clock import SystemClock
from edged.domain.health import CameraStatus, DaemonStatus, LastEnd, StoreStatus
from edged.domain.machine import MachineStatus
from edged.health.status_file import read_status, write_status
from edged.store.lock import FolderLock
from tests.unit.cli.conftest import Edged


def write(folder: Path, **changed: Any) -> None:
    now = SystemClock().wall()
    facts: dict[str, Any] = {
        "version": "0.1.0",
        "pid": os.getpid(),
        "run_id": "run-1",
        "state": "running",
        "started_wall_at": now - 7500,
        "written_wall_at": now,
        "uptime_s": 7500.0,
        "model": "picodet-s",
        "backend": "ncnn",
        "inference_p50_ms": 12.5,
        "inference_p99_ms": 30.25,
        "rss_bytes": 120_000_000,
        "cameras": [CameraStatus("yard", "lost: no such device", frames=4321, fps_in=9.5)],
    }
    write_status(folder / "status.json", DaemonStatus(**{**facts, **changed}))


def test_a_running_daemon_is_shown_on_one_screen(edged: Edged, tmp_path: Path) -> None:
    write(tmp_path)
    result = edged("status", "--data", tmp_path)
    assert result.code == 8
    assert result.err.startswith("The daemon runs, but camera yard is lost: no such device.")
    for words in ("up 2 h 5 min", "picodet-s on ncnn", "median 12.5 ms, p99 30.2 ms", "120 MB", "lost: no such device"):
        assert words in result.out
    assert "4321" in result.out


@pytest.mark.parametrize(
    ("picture", "told"),
    [
        (None, "running "),
        ("ok", "running "),
        ("frozen", "running, picture frozen"),
        ("blank", "running, picture blank"),
    ],
)
def test_a_picture_that_shows_nothing_stands_beside_the_state(
    edged: Edged, tmp_path: Path, picture: str | None, told: str
) -> None:
    write(tmp_path, cameras=[CameraStatus("yard", "running", picture=picture)])
    out = edged("status", "--data", tmp_path).out
    assert told in out
    assert ("picture" in out) == ("picture" in told)


@pytest.mark.parametrize("columns", [200, 110, 100, 80, 40])
def test_words_stay_whole_however_narrow_the_terminal(
    edged: Edged, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    lost = CameraStatus("front-door-left", "lost: /dev/v4l/by-id/usb-camera-left: no such device", frames=1234567)
    write(tmp_path, cameras=[lost, CameraStatus("yard", "running", detected=7654321)])
    out = edged("status", "--data", tmp_path).out
    for word in (*lost.state.split(), lost.camera, "1234567", "7654321", "detected/s", "corrupt", "picodet-s"):
        assert word in out
    assert max(map(len, out.splitlines())) <= columns


def test_json_holds_every_fact_and_whether_it_runs(edged: Edged, tmp_path: Path) -> None:
    write(tmp_path)
    facts = json.loads(edged("status", "--data", tmp_path, "--json").out)
    assert facts["running"] is True
    assert facts["trouble"] is None
    assert facts["cameras"][0]["frames"] == 4321
    assert 0 <= facts["age_s"] < 10


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_daemon_that_was_killed_is_not_running(edged: Edged, tmp_path: Path, form: list[str]) -> None:
    write(tmp_path, pid=2**22 + 1)  # above the kernel's largest process number
    result = edged("status", "--data", tmp_path, *form)
    assert result.code == 6
    assert "not running" in result.err
    assert "NOT RUNNING" in result.out or json.loads(result.out)["running"] is False


def test_a_stopped_daemon_is_not_running(edged: Edged, tmp_path: Path) -> None:
    write(tmp_path, state="stopped")
    result = edged("status", "--data", tmp_path)
    assert (result.code, result.err.splitlines()[0]) == (6, "The daemon is not running: stopped.")


def test_a_daemon_that_is_not_running_is_not_said_to_be_a_unit_of_systemd(edged: Edged, tmp_path: Path) -> None:
    write(tmp_path, state="stopped")
    assert "journalctl" not in edged("status", "--data", tmp_path).err


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Path]:
    """A data folder on which this process works."""
    lock = FolderLock(tmp_path)
    lock.acquire()
    yield tmp_path
    lock.release()


@pytest.mark.parametrize(
    "changed", [{"written_wall_at": 1.7e9}, {"pid": 2**22 + 1}, {"pid": 2**22 + 1, "state": "stopped"}]
)
def test_a_daemon_that_cannot_write_its_status_is_not_said_to_be_gone(
    edged: Edged, locked: Path, changed: dict[str, Any]
) -> None:
    write(locked, **changed)
    told = f"The daemon is running as process {os.getpid()}, but its status file {locked / 'status.json'} is old"
    result = edged("status", "--data", locked)
    assert result.code == 6
    assert result.err.startswith(told)
    assert f"running, but SILENT, process {os.getpid()}" in result.out
    facts = json.loads(edged("status", "--data", locked, "--json").out)
    assert facts["running"] is True
    assert facts["trouble"].startswith(told)


def test_a_daemon_without_a_status_file_is_not_said_to_be_gone(edged: Edged, locked: Path) -> None:
    result = edged("status", "--data", locked)
    assert result.code == 6
    assert f"running as process {os.getpid()}" in result.err
    assert "is missing: is the disk full?" in result.err


def test_a_daemon_that_has_stopped_is_believed_while_it_lets_go(edged: Edged, locked: Path) -> None:
    write(locked, state="stopped")
    assert edged("status", "--data", locked).err.startswith("The daemon is not running: stopped.")


def test_a_folder_without_a_status_says_so(edged: Edged, tmp_path: Path) -> None:
    result = edged("status", "--data", tmp_path)
    assert result.code == 6
    assert "No daemon has written" in result.err


def test_a_damaged_status_says_so(edged: Edged, tmp_path: Path) -> None:
    (tmp_path / "status.json").write_text("{")
    result = edged("status", "--data", tmp_path)
    assert result.code == 6
    assert "is no status" in result.err


def test_the_configuration_says_where_the_status_lies(edged: Edged, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    write(tmp_path / "run")
    config = tmp_path / "edged.toml"
    config.write_text('runtime_dir = "run"\n[[camera]]\nname = "yard"\nsource = "/dev/video0"\n')
    assert "picodet-s" in edged("status", "-c", config).out


def test_a_mistake_in_the_configuration_does_not_hide_how_the_daemon_is(edged: Edged, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    write(tmp_path / "run", cameras=WELL, config_error="edged.toml has a mistake.")
    config = tmp_path / "edged.toml"
    config.write_text('runtime_dir = "run"\n[model]\nthreads = 0\n[[camera]]\nnam = "yard"\n')
    result = edged("status", "-c", config)
    assert result.code == 8
    assert "the old one goes on: edged.toml has a mistake.\n" in result.err


def test_a_mistake_above_the_tables_of_the_configuration_is_told(edged: Edged, tmp_path: Path) -> None:
    config = tmp_path / "edged.toml"
    config.write_text('runtim_dir = "run"\n')
    result = edged("status", "-c", config)
    assert result.code == 2
    assert 'did you mean "runtime_dir"?' in result.err


def test_a_store_that_cannot_write_is_shown_loudly(edged: Edged, tmp_path: Path) -> None:
    write(tmp_path, store=StoreStatus(error="no space left"))
    assert "CANNOT WRITE: no space left" in edged("status", "--data", tmp_path).out


def test_a_daemon_is_named_by_one_of_configuration_and_folder(edged: Edged, tmp_path: Path) -> None:
    assert edged("status", "--data", tmp_path, "-c", tmp_path / "edged.toml").code == 2


WELL = [CameraStatus("yard", "running", picture="ok")]


def test_a_daemon_that_is_well_is_worth_a_zero(edged: Edged, tmp_path: Path) -> None:
    write(tmp_path, cameras=WELL)
    result = edged("status", "--data", tmp_path)
    assert (result.code, result.err) == (0, "")
    assert json.loads(edged("status", "--data", tmp_path, "--json").out)["warnings"] == []


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"cameras": [CameraStatus("yard", "running", picture="frozen")]}, "the picture of camera yard is frozen"),
        ({"cameras": WELL, "store": StoreStatus(waiting=7, error="no space left")}, "7 so far: no space left"),
        ({"cameras": WELL, "config_error": "a mistake"}, "was refused, and the old one goes on: a mistake"),
        ({"cameras": WELL, "machine": MachineStatus(warnings=["it is too hot"])}, "it is too hot"),
    ],
)
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_what_is_wrong_while_it_runs_is_told_with_a_code_of_its_own(
    edged: Edged, tmp_path: Path, changed: dict[str, Any], told: str, form: list[str]
) -> None:
    write(tmp_path, **changed)
    result = edged("status", "--data", tmp_path, *form)
    assert result.code == 8
    assert told in result.err
    if form:
        assert told in json.loads(result.out)["warnings"][0]


def test_the_machine_is_shown_and_what_is_not_known_is_said_to_be_unknown(
    edged: Edged, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    end = LastEnd("watchdog", "The detect thread hung.", "run-0", 0.0, 7200.0, "1 camera")
    machine = MachineStatus(
        temp_c=78.25,
        temp_zone="cpu-thermal",
        heat="warm",
        budget=0.74,
        throttling_now=["frequency_capped"],
        throttling_since_boot=["under_voltage", "frequency_capped"],
        power_w=5.25,
        power_source="PMIC, estimated",
        memory_free_bytes=512_000_000,
        disk_free_bytes=12_300_000_000,
        clock_synchronised=False,
    )
    write(tmp_path, cameras=WELL, machine=machine, last_end=end)
    out = edged("status", "--data", tmp_path).out
    for words in (
        "by watchdog after 2 h 0 min: The detect thread hung",
        "78.2 °C (cpu-thermal), inference may use 74% of its time",
        "5.2 W (PMIC, estimated)",
        "NOW frequency capped; since the boot under voltage, frequency capped",
        "120 MB, 512 MB free in the machine",
        "12.3 GB free",
        "NOT synchronised",
    ):
        assert words in out
    write(tmp_path, cameras=WELL)
    out = edged("status", "--data", tmp_path).out
    for name in ("disk", "heat", "power", "clock"):
        assert any(line.startswith(name) and "unknown" in line for line in out.splitlines())
    assert "throttling" not in out


def test_a_status_says_of_the_machine_the_same_after_a_round_through_the_file(tmp_path: Path) -> None:
    end = LastEnd("power", "the power was cut", "run-0", 1.0, 2.0, "1 camera")
    machine = MachineStatus(temp_c=50.0, throttling_now=[], clock_synchronised=None, warnings=["one"])
    write(tmp_path, machine=machine, last_end=end)
    found = read_status(tmp_path / "status.json")
    assert (found.machine, found.last_end) == (machine, end)
