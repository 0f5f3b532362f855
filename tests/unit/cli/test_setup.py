from __future__ import annotations

import dataclasses
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import pytest
import typer

from edged.app import model_spec
from edged.capture.cameras import FoundCamera
from edged.cli.setup import start_service
from edged.cli.setup_answers import Wanted, camera_tables, configuration, write_config
from edged.config.loader import load_config, parse_config
from edged.config.schema import Config
from edged.detect.catalogue import find_model
from edged.errors import OutputNotWritable
from edged.testing.sysfs import FakeMachine
from tests.unit.cli.conftest import Edged
from tests.unit.cli.test_cameras import found

SPEC = model_spec("builtin")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "edged.toml"


def test_without_a_word_it_writes_a_configuration_that_loads(edged: Edged, file: Path) -> None:
    done = edged("setup", "--yes", "-o", file)
    assert done.code == 0, done.err
    config = load_config(file)
    assert config.presence.labels == ("person",)
    assert config.runtime_dir == Path("/run/edged")


def test_what_it_writes_is_well_by_check_config(edged: Edged, file: Path) -> None:
    edged("setup", "--yes", "-o", file, "--camera", "rtsp://yard.lan/live", "--watch", "vehicle")
    assert edged("check-config", file).code == 0


def test_options_answer_the_questions(edged: Edged, file: Path, tmp_path: Path) -> None:
    cameras = ["--camera", "/dev/video7", "--camera", "rtsp://yard.lan/live"]
    edged("setup", "--yes", "-o", file, *cameras, "--watch", "vehicle", "--watch", "person", "--data", tmp_path)
    config = load_config(file)
    assert [camera.source for camera in config.camera] == ["/dev/video7", "rtsp://yard.lan/live"]
    assert config.presence.labels == ("vehicle", "person")
    assert config.data_dir == tmp_path


def test_folders_that_are_named_from_here_are_meant_from_here(
    edged: Edged, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, here = tmp_path / "etc" / "edged.toml", tmp_path / "here"
    file.parent.mkdir()
    shutil.copytree(find_model("builtin"), here / "mine")
    monkeypatch.chdir(here)
    assert edged("setup", "--yes", "-o", file, "--model", "./mine", "--data", "data", "--runtime", "run").code == 0
    config = load_config(file)
    assert (Path(config.model.path), config.data_dir, config.runtime_dir) == (
        here / "mine",
        here / "data",
        here / "run",
    )


def test_a_recording_is_played_as_a_camera_would(edged: Edged, file: Path, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"")
    edged("setup", "--yes", "-o", file, "--camera", clip)
    assert load_config(file).camera[0].play == "in_real_time"


def test_a_file_that_is_there_stays_as_it_is(edged: Edged, file: Path) -> None:
    file.write_text("# mine\n")
    done = edged("setup", "--yes", "-o", file)
    assert done.code == 2
    assert "--replace" in done.err
    assert file.read_text() == "# mine\n"


def test_a_file_that_is_replaced_is_kept_beside(edged: Edged, file: Path) -> None:
    file.write_text("# mine\n")
    file.chmod(0o600)
    assert edged("setup", "--yes", "--replace", "-o", file).code == 0
    assert load_config(file).camera
    assert file.with_name("edged.toml.bak").read_text() == "# mine\n"
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_file_that_is_replaced_and_the_one_kept_beside_stay_readable_to_the_service(edged: Edged, file: Path) -> None:
    file.write_text("# mine\n")
    file.chmod(0o640)
    os.chown(file, 0, 4242)
    assert edged("setup", "--yes", "--replace", "-o", file).code == 0
    for path in (file, file.with_name("edged.toml.bak")):
        assert (path.stat().st_gid, path.stat().st_mode & 0o777) == (4242, 0o640)


LINKLESS = """
import errno, os, pathlib, sys
from edged.cli.setup_answers import write_config

def refuse(name, arguments):
    if name == "os.link":  # as the interpreter tells before it asks the kernel
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

sys.addaudithook(refuse)
write_config(pathlib.Path(sys.argv[1]), "# new")
"""


def test_a_file_on_a_boot_partition_without_hard_links_is_replaced_and_kept_too(tmp_path: Path) -> None:
    file = tmp_path / "edged.toml"
    file.write_text("# old")
    file.chmod(0o640)
    subprocess.run([sys.executable, "-c", LINKLESS, str(file)], check=True)
    kept = tmp_path / "edged.toml.bak"
    assert (file.read_text(), kept.read_text()) == ("# new", "# old")
    assert kept.stat().st_mode & 0o777 == 0o640


WRITING = """
import os, pathlib, signal, sys
from edged.cli.setup_answers import write_config

left = int(sys.argv[2])

def end_there(name, arguments):
    global left
    if name in ("os.rename", "os.remove"):  # as the interpreter tells before it asks the kernel
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(end_there)
write_config(pathlib.Path(sys.argv[1]), "# new")
"""


@pytest.mark.slow
def test_an_end_in_the_middle_of_replacing_leaves_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    file, left = tmp_path / "edged.toml", []
    for steps in range(1, 6):
        file.write_text("# old")
        subprocess.run([sys.executable, "-c", WRITING, str(file), str(steps)], check=False)
        left.append(file.read_text())
    assert left[0] == "# old"
    assert left[-1] == "# new"
    assert set(left) == {"# old", "# new"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--watch", "unicorn"], "unicorn"),
        (["--camera", "rtsp:/yard"], "network address"),
        (["--camera", "no-such-clip.mp4"], "no-such-clip.mp4"),
        (["--model", "no-such-model"], "no-such-model"),
    ],
)
def test_a_mistake_is_told_and_nothing_written(edged: Edged, file: Path, arguments: list[str], says: str) -> None:
    done = edged("setup", "--yes", "-o", file, *arguments)
    assert done.code != 0
    assert says in done.err
    assert not file.exists()


def test_a_folder_that_is_not_there_is_told_before_anything_is_asked(edged: Edged, tmp_path: Path) -> None:
    done = edged("setup", "-o", tmp_path / "no where" / "edged.toml")
    assert done.code == 2
    assert f"mkdir -p '{tmp_path / 'no where'}'" in done.err


def _answered(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *answers: str, cameras: Sequence[FoundCamera] = ()
) -> Config:
    """The configuration of a person who types these answers, on a machine with these cameras."""
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{answer}\n" for answer in answers)))
    wanted = Wanted(sources=None, model=None, labels=None, data_dir=tmp_path, runtime_dir=None)
    text = configuration(wanted, asking=True, find_cameras=lambda: cameras)
    return parse_config(text, name="it", folder=tmp_path)


def test_a_person_is_asked_for_model_cameras_and_labels(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = _answered(monkeypatch, tmp_path, "builtin", "/dev/video3, rtsp://yard.lan/live", "vehicle, person")
    assert [camera.source for camera in config.camera] == ["/dev/video3", "rtsp://yard.lan/live"]
    assert config.presence.labels == ("vehicle", "person")


FIRST, SECOND = "/dev/v4l/by-path/first", "/dev/v4l/by-path/second"


@pytest.mark.parametrize(("answer", "chosen"), [("2", [SECOND]), ("2, 1", [SECOND, FIRST]), ("", [FIRST, SECOND])])
def test_a_camera_is_chosen_by_its_number_in_the_list(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, answer: str, chosen: list[str]
) -> None:
    machine = FakeMachine(tmp_path)
    machine.plug_platform()
    (camera,) = found(machine)
    cameras = [dataclasses.replace(camera, stable_path=Path(path)) for path in (FIRST, SECOND)]
    config = _answered(monkeypatch, tmp_path, "", answer, "", cameras=cameras)
    assert [section.source for section in config.camera] == chosen


def test_a_person_who_mistypes_an_answer_is_told_and_asked_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    config = _answered(monkeypatch, tmp_path, "bultin", "builtin", "yrad.mp4", "/dev/video3", "purson", "person")
    assert config.camera[0].source == "/dev/video3"
    assert config.presence.labels == ("person",)
    told = capsys.readouterr().err
    assert not [word for word in ("no model 'bultin'", "no yrad.mp4", "labels: purson") if word not in told]


def test_a_person_who_only_presses_enter_gets_the_defaults(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = _answered(monkeypatch, tmp_path, "", "", "")
    assert config.model.path == "builtin"
    assert config.camera
    assert config.presence.labels == ("person",)


@pytest.mark.parametrize(
    ("answer", "exit_code", "outcome"), [("", 0, "started"), ("y", 3, "failed"), ("n", 0, "told"), (None, 0, "told")]
)
def test_the_service_is_started_with_it_where_a_person_says_so(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    answer: str | None,
    exit_code: int,
    outcome: str,
) -> None:
    settle = tmp_path / "settle"
    settle.write_text(f"#!/bin/sh\ntouch {tmp_path}/started\nexit {exit_code}\n")
    settle.chmod(0o755)
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{answer}\n"))
    with pytest.raises(typer.Exit) if outcome == "failed" else nullcontext():
        start_service(settle, asking=answer is not None)
    assert (tmp_path / "started").exists() == (outcome != "told")
    assert (f"Start edged with it: sudo {settle}" in capsys.readouterr().err) == (outcome == "told")


def test_all_labels_are_an_empty_list(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert _answered(monkeypatch, tmp_path, "", "/dev/video0", "all").presence.labels == ()


def test_it_prints_to_stdout(edged: Edged, tmp_path: Path) -> None:
    done = edged("setup", "--yes", "-o", "-")
    assert parse_config(done.out, name="it", folder=tmp_path).camera


def test_a_camera_that_is_here_gets_the_mode_that_suits_the_model(tmp_path: Path) -> None:
    machine = FakeMachine(tmp_path)
    node = machine.plug_usb()
    here, away = camera_tables([str(node), "rtsp://yard.lan/live"], found(machine), SPEC)
    assert 'name = "hd-webcam"' in here
    assert 'format = "YUYV"' in here
    assert away == '[[camera]]\nname = "camera-1"\nsource = "rtsp://yard.lan/live"'


def test_what_it_writes_is_on_the_disk_and_hidden_from_others_before_it_has_its_name(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An address may hold a password; and a configuration that a cut of power emptied would stop the box for good."""
    seen: list[tuple[str, int, bool]] = []
    really_sync = os.fsync

    def sync(descriptor: int) -> None:
        really_sync(descriptor)
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        seen.append((path.read_text(), path.stat().st_mode & 0o777, file.exists()))

    monkeypatch.setattr(os, "fsync", sync)
    write_config(file, "# new\n")
    assert seen == [("# new\n", 0o600, False)]
    assert file.read_text() == "# new\n"


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(OutputNotWritable):
        write_config(tmp_path / "nowhere" / "edged.toml", "")
