from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from edged.config.loader import load_config, parse_config
from edged.testing.ncnn_model import write_bright_spot_model
from tests.unit.capture.clips import as_nobody
from tests.unit.cli.conftest import Edged


@pytest.fixture
def file(tmp_path: Path) -> Path:
    clip = tmp_path / "clip.mp4"
    clip.touch()
    path = tmp_path / "edged.toml"
    path.write_text('[scheduler]\nevery = 3\n[[camera]]\nname = "yard"\nsource = "clip.mp4"\n')
    return path


def test_what_it_prints_is_the_same_configuration_in_full(edged: Edged, file: Path, tmp_path: Path) -> None:
    result = edged("check-config", file)
    assert result.code == 0
    assert parse_config(result.out, name="out", folder=Path("/")) == load_config(file)


def test_it_says_what_differs_from_the_defaults(edged: Edged, file: Path) -> None:
    result = edged("check-config", file)
    assert "every = 3  # changed; default: 1" in result.out
    assert "  scheduler.every = 3 (default: 1)\n" in result.err
    assert "warning" not in result.err


def test_mistakes_end_with_exit_code_2_and_are_all_listed(edged: Edged, file: Path) -> None:
    file.write_text("[scheduler]\nevery = 0\n[log]\nlevel = 'loud'\n")
    result = edged("check-config", file)
    assert result.code == 2
    assert "has 3 mistakes" in result.err
    assert result.out == ""


def test_a_model_and_a_source_that_do_not_exist_are_warnings(edged: Edged, file: Path) -> None:
    file.write_text('[model]\npath = "./mine"\n[[camera]]\nname = "yard"\nsource = "gone.mp4"\n')
    result = edged("check-config", file)
    assert result.code == 0
    assert f"warning: model.path: The model folder {file.parent / 'mine'} does not exist" in result.err
    assert f"warning: camera[0].source (camera 'yard'): there is no {file.parent / 'gone.mp4'}" in result.err


def test_an_engine_that_does_not_exist_is_a_warning_that_names_those_that_do(edged: Edged, file: Path) -> None:
    file.write_text('[model]\nbackend = "nonsense"\n[[camera]]\nname = "yard"\nsource = "clip.mp4"\n')
    result = edged("check-config", file)
    assert result.code == 0
    assert "warning: model.backend: There is no engine 'nonsense'" in result.err
    assert "Known here: auto, " in result.err


def test_what_only_tensorrt_heeds_is_a_warning_where_another_engine_runs_the_model(edged: Edged, file: Path) -> None:
    file.write_text(
        '[model]\nbackend = "ncnn"\nprecision = "int8"\ndla_core = 0\n[[camera]]\nname = "yard"\nsource = "clip.mp4"\n'
    )
    warnings = [line for line in edged("check-config", file).err.splitlines() if line.startswith("warning: ")]
    assert [line.split(":")[1].strip() for line in warnings] == ["model.dla_core", "model.precision"]
    assert all("ncnn would run the model here" in line for line in warnings)


def test_a_confidence_for_new_tracks_that_the_model_gives_no_effect_is_a_warning(edged: Edged, file: Path) -> None:
    write_bright_spot_model(file.parent / "spot")
    model = '[model]\npath = "./spot"\n[tracker]\nnew_track_confidence = 0.4\n'
    file.write_text(model + '[[camera]]\nname = "yard"\nsource = "clip.mp4"\n')
    said = "tracker.new_track_confidence: 0.4 has no effect below the model's high_confidence, 0.5"
    assert said in edged("check-config", file).err
    file.write_text(model + 'high_confidence = 0.4\n[[camera]]\nname = "yard"\nsource = "clip.mp4"\n')
    assert "new_track_confidence:" not in edged("check-config", file).err


def test_a_label_that_the_model_does_not_know_is_a_mistake(edged: Edged, file: Path) -> None:
    write_bright_spot_model(file.parent / "spot")
    file.write_text(
        '[model]\npath = "./spot"\n[presence]\nlabels = ["unicorn", "person"]\n'
        '[[camera]]\nname = "yard"\nsource = "clip.mp4"\nlabels = ["dragon"]\n'
    )
    result = edged("check-config", file)
    assert (result.code, result.out) == (2, "")
    assert "presence.labels: 'unicorn'" in result.err
    assert "camera[0].labels: 'dragon'" in result.err
    assert "It knows: person." in result.err


def test_labels_are_not_judged_without_the_model(edged: Edged, file: Path) -> None:
    file.write_text(
        '[model]\npath = "./mine"\n[presence]\nlabels = ["unicorn"]\n[[camera]]\nname = "yard"\nsource = "clip.mp4"\n'
    )
    result = edged("check-config", file)
    assert result.code == 0
    assert "unicorn" not in result.err.split("Differs")[0]


def test_a_source_and_a_model_where_this_user_may_not_look_are_warnings(edged: Edged) -> None:
    with TemporaryDirectory() as name:  # tmp_path lies where only its owner may look
        folder = Path(name).resolve()
        folder.chmod(0o755)
        (folder / "hidden").mkdir(mode=0)
        text = '[model]\npath = "hidden/mine"\n[[camera]]\nname = "yard"\nsource = "hidden/clip.mp4"\n'
        (folder / "edged.toml").write_text(text)
        with as_nobody():
            result = edged("check-config", folder / "edged.toml")
    assert result.code == 0
    for said in ("model.path: {}/mine", "camera[0].source (camera 'yard'): {}/clip.mp4"):
        assert f"{said.format(folder / 'hidden')} cannot be looked at: Permission denied" in result.err


def test_the_example_is_a_configuration(edged: Edged) -> None:
    result = edged("check-config", "--example")
    assert parse_config(result.out, name="example", folder=Path("/")).camera


def test_a_file_and_the_example_are_not_wanted_together(edged: Edged, file: Path) -> None:
    assert edged("check-config", file, "--example").code == 2
    assert edged("check-config").code == 2


def test_a_network_camera_is_not_asked_and_its_password_is_not_shown(edged: Edged, file: Path) -> None:
    file.write_text('[[camera]]\nname = "yard"\nsource = "rtsp://admin:s3cr3t@camera.invalid/live?pwd=s3cr3t"\n')
    result = edged("check-config", file)
    assert (result.code, result.err.count("warning")) == (0, 1)
    assert 'source = "rtsp://admin:***@camera.invalid/live?pwd=***"' in result.out
    assert "s3cr3t" not in result.out + result.err


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("rtsp://admin:s3/cr3t@camera/live", "rtsp://admin:***@camera/live is no address that can be read"),
        ("rtsp://admin:${NOBODY_HAS_THIS}@camera/", "there is no ${NOBODY_HAS_THIS}"),
    ],
)
def test_an_address_that_will_not_do_is_a_warning(edged: Edged, file: Path, source: str, said: str) -> None:
    file.write_text(f'[[camera]]\nname = "yard"\nsource = "{source}"\n')
    result = edged("check-config", file)
    assert result.code == 0
    assert f"camera[0].source (camera 'yard'): {source.split(':')[0]}" in result.err
    assert said in result.err
    assert "cr3t" not in result.out + result.err


def test_it_says_that_a_password_was_hidden_and_the_result_does_not_load(edged: Edged, file: Path) -> None:
    file.write_text('[[camera]]\nname = "yard"\nsource = "rtsp://admin:s3cr3t@camera.invalid/live"\n')
    result = edged("check-config", file)
    assert "warning: camera[0].source (camera 'yard'): printed with *** for what may be secret" in result.err
    file.write_text(result.out)
    again = edged("check-config", file)
    assert again.code == 2
    assert "the password was hidden here: put it back, or use ${NAME}" in again.err


def test_nothing_is_said_of_hiding_where_nothing_was_hidden(
    edged: Edged, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YARD", "s3cr3t")
    file.write_text('[[camera]]\nname = "yard"\nsource = "rtsp://admin:${YARD}@camera.invalid/live"\n')
    result = edged("check-config", file)
    assert (result.code, "***" in result.err) == (0, False)
    file.write_text(result.out)
    assert edged("check-config", file).code == 0
