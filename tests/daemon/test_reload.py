"""SIGHUP, as `systemctl reload` sends it."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from tests.daemon.conftest import ROOT, Box

pytestmark = pytest.mark.slow


def test_a_hang_up_changes_one_camera_and_a_file_with_a_mistake_changes_none(box: Box, long_clip: Path) -> None:
    playing = f'source = "{long_clip}"\nplay = "in_real_time"'
    box.configure(playing, playing)
    process = box.start("run", "-c", box.config, start_new_session=True)
    before = box.wait_for(process, lambda status: all(camera["frames"] > 20 for camera in status["cameras"]))

    box.configure(playing, playing + "\nevery = 2")
    process.send_signal(signal.SIGHUP)
    after = box.wait_for(process, lambda status: bool(0 < status["cameras"][1]["frames"] < 20))
    assert after["cameras"][0]["frames"] >= before["cameras"][0]["frames"]

    box.configure(playing, playing + "\nevry = 2")
    process.send_signal(signal.SIGHUP)
    refused = box.wait_for(process, lambda status: bool(status["config_error"]))
    assert "evry" in refused["config_error"]
    assert refused["state"] == "running"
    shown = box.run("status", "--data", box.data)
    assert shown.code == 8  # something is wrong, while it runs
    assert "evry" in shown.out

    box.configure(playing)
    process.send_signal(signal.SIGHUP)
    mended = box.wait_for(process, lambda status: status["config_error"] is None)
    assert [camera["camera"] for camera in mended["cameras"]] == ["cam0"]
    assert mended["cameras"][0]["frames"] >= refused["cameras"][0]["frames"]

    process.terminate()
    ended = box.end_of(process)
    assert ended.code == 0
    assert "the changed configuration is refused, the old one goes on" in ended.err
    assert "1 camera goes on, 1 begins, 1 ends" in ended.err


def test_a_camera_that_a_hang_up_brings_is_traced_too(box: Box, long_clip: Path) -> None:
    playing = f'source = "{long_clip}"\nplay = "in_real_time"'
    box.configure(playing)
    process = box.start("run", "-c", box.config, "--trace", "tracks.txt", start_new_session=True)
    box.wait_for(process, lambda status: bool(status["cameras"][0]["frames"]))
    box.configure(playing, f'source = "{long_clip}"')
    process.send_signal(signal.SIGHUP)
    box.wait_for(process, lambda status: [camera["state"] for camera in status["cameras"]] == ["running", "ended"])
    process.terminate()
    assert box.end_of(process).code == 0
    traces = {path.name: path.stat().st_size for path in box.folder.glob("tracks*")}
    assert traces.keys() == {"tracks.txt", "tracks-cam1.txt"}
    assert traces["tracks-cam1.txt"] > 0


def test_a_hang_up_while_edged_is_still_being_imported_is_not_its_end(box: Box, clip: Path) -> None:
    box.configure(f'source = "{clip}"')
    early = box.folder / "early"
    early.mkdir()
    (early / "typer.py").write_text(  # edged takes it for the library, which it becomes after the signal
        "import os, signal, sys\n"
        "os.kill(os.getpid(), signal.SIGHUP)\n"
        "sys.path.remove(os.path.dirname(__file__))\n"
        "del sys.modules['typer']\n"
        "import typer\n"
    )
    command = ["env", f"PYTHONPATH={early}:{ROOT}", sys.executable, "-m", "edged", "run", "-c", box.config]
    ended = box.end_of(box.start_program(command, start_new_session=True))
    assert (ended.code, ended.complaints) == (0, "")


def test_a_stop_in_the_middle_of_a_change_that_takes_long_is_a_clean_end_at_once(box: Box, long_clip: Path) -> None:
    box.configure(f'source = "{long_clip}"\nplay = "in_real_time"')
    process = box.start("run", "-c", box.config, start_new_session=True)
    box.wait_for(process, lambda status: bool(status["cameras"][0]["frames"] > 20))
    box.config.unlink()
    os.mkfifo(box.config)
    with os.fdopen(os.open(box.config, os.O_RDWR)):  # whoever reads it waits until that is closed
        process.send_signal(signal.SIGHUP)
        box.wait_for(process, lambda status: bool(status["config_pending"]))
        assert "a changed one is being prepared" in box.run("status", "--data", box.data).out

        process.terminate()
        ended = box.end_of(process, within_s=5.0)
    assert ended.code == 0
    assert "the reload of the configuration goes on and is left behind" in ended.err
    status = box.status()
    assert status is not None
    assert status["state"] == "stopped"
