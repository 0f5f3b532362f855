from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from edged import app
from edged.domain.checkup import Finding, Verdict
from edged.testing.clock import FakeClock
from edged.testing.sysfs import FakeBoard, FakeMachine
from tests.unit.capture.clips import make_clip
from tests.unit.cli.conftest import Edged
from tests.unit.cli.test_cameras import found


def _configure(folder: Path, *sources: str, extra: str = "") -> Path:
    cameras = "".join(f'[[camera]]\nname = "c{number}"\nsource = "{source}"\n' for number, source in enumerate(sources))
    path = folder / "edged.toml"
    path.write_text(f'data_dir = "{folder}"\n{extra}\n{cameras}')
    return path


def _findings(path: Path, root: Path) -> dict[str, Finding]:
    every = app.examine(path, root=root, clock=FakeClock(), ask=lambda words: None, find_cameras=list)
    return {finding.what: finding for finding in every}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    return folder


def test_a_sound_box_has_nothing_that_fails(tmp_path: Path, root: Path) -> None:
    make_clip(tmp_path / "clip.mp4")
    FakeBoard(root).set_zone("cpu-thermal", 48.0)
    told = _findings(_configure(tmp_path, "clip.mp4"), root)
    assert [finding for finding in told.values() if finding.verdict is Verdict.FAIL] == []
    assert told["model"].text == "edged-nano on ncnn gives sound answers"
    assert told["temperature"].text == "48 °C (cpu-thermal)"


def test_the_warning_begins_where_the_configuration_says(tmp_path: Path, root: Path) -> None:
    FakeBoard(root).set_zone("cpu-thermal", 66.0)
    path = _configure(tmp_path, "rtsp://yard.lan/live", extra="[thermal]\nwarn_c = 65.0\n")
    assert _findings(path, root)["temperature"].verdict is Verdict.WARN


def test_a_configuration_with_a_mistake_fails_and_the_rest_is_still_looked_at(tmp_path: Path, root: Path) -> None:
    told = _findings(_configure(tmp_path, "clip.mp4", extra="nonsense = 1"), root)
    assert told["configuration"].verdict is Verdict.FAIL
    assert "nonsense" in told["configuration"].text
    assert "temperature" in told


def test_a_model_that_is_not_there_fails(tmp_path: Path, root: Path) -> None:
    told = _findings(_configure(tmp_path, "/dev/video0", extra='[model]\npath = "./nowhere"\n'), root)
    assert told["model"].verdict is Verdict.FAIL
    assert told["model"].mend is not None


def test_a_camera_that_is_not_plugged_in_fails(tmp_path: Path, root: Path) -> None:
    told = _findings(_configure(tmp_path, "/dev/video7"), root)
    assert (told["camera c0"].verdict, told["camera c0"].mend) == (Verdict.FAIL, "edged cameras")


def test_a_recording_that_cannot_be_played_fails(tmp_path: Path, root: Path) -> None:
    (tmp_path / "clip.mp4").write_text("no video")
    told = _findings(_configure(tmp_path, "clip.mp4", "gone.mp4"), root)
    assert [told[camera].verdict for camera in ("camera c0", "camera c1")] == [Verdict.FAIL] * 2
    assert "holds no video" in told["camera c0"].text


def test_an_address_is_not_asked_and_shows_no_password(tmp_path: Path, root: Path) -> None:
    told = _findings(_configure(tmp_path, "rtsp://me:secret@yard.lan/live"), root)
    assert told["camera c0"].verdict is Verdict.UNKNOWN
    assert "secret" not in told["camera c0"].text


def test_what_to_do_about_an_address_works_with_a_configuration_anywhere(tmp_path: Path, root: Path) -> None:
    path = _configure(tmp_path, "rtsp://yard.lan/live").rename(tmp_path / "my house.toml")
    assert _findings(path, root)["camera c0"].mend == f"edged snapshot c0 -o now.jpg -c '{path}'"


def test_a_camera_that_is_plugged_in_is_told_by_its_name(tmp_path: Path, root: Path) -> None:
    (tmp_path / "machine").mkdir()
    machine = FakeMachine(tmp_path / "machine")
    machine.plug_usb()
    (camera, *_) = found(machine)
    here = replace(camera, node=replace(camera.node, path=Path("/dev/video0")))
    path = _configure(tmp_path, "/dev/video0")
    every = app.examine(path, root=root, clock=FakeClock(), ask=lambda words: None, find_cameras=lambda: [here])
    told = {finding.what: finding for finding in every}
    assert (told["camera c0"].verdict, told["camera c0"].text) == (Verdict.OK, "HD Webcam at /dev/video0")


def test_a_camera_that_is_named_by_a_link_of_ones_own_is_found(tmp_path: Path, root: Path) -> None:
    (tmp_path / "machine").mkdir()
    machine = FakeMachine(tmp_path / "machine")
    machine.plug_usb()
    (camera, *_) = found(machine)
    link = Path("/dev/fd")  # a link that every machine has
    here = replace(camera, node=replace(camera.node, path=link.resolve()))
    path = _configure(tmp_path, str(link))
    every = app.examine(path, root=root, clock=FakeClock(), ask=lambda words: None, find_cameras=lambda: [here])
    assert {finding.what: finding.verdict for finding in every}["camera c0"] is Verdict.OK


def test_the_exit_code_is_that_of_the_worst_line(edged: Edged, tmp_path: Path) -> None:
    done = edged("doctor", "-c", _configure(tmp_path, "no-such-clip.mp4"))
    assert done.code == 10
    assert "fail" in done.out
    assert "→" in done.out


def test_json_has_an_object_a_line(edged: Edged, tmp_path: Path) -> None:
    done = edged("doctor", "--json", "-c", _configure(tmp_path, "no-such-clip.mp4"))
    records = [json.loads(line) for line in done.out.splitlines()]
    assert {"what", "verdict", "text", "mend"} == set(records[0])
    assert {record["what"] for record in records} >= {"configuration", "camera c0", "model", "disk", "temperature"}
