from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from edged.capture.image_folder import read_image
from edged.cli.where import DEFAULT_CONFIG
from edged.testing.encoded import number_in
from edged.testing.http_camera import HttpCamera, part
from tests.unit.capture.clips import make_clip, number_of
from tests.unit.cli.conftest import Edged


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return make_clip(tmp_path / "clip.mp4", size=(320, 240))


@pytest.fixture
def config(tmp_path: Path, clip: Path) -> Path:
    file = tmp_path / "edged.toml"
    file.write_text('[[camera]]\nname = "yard"\nsource = "clip.mp4"\n[[camera]]\nname = "door"\nsource = "gone.mp4"\n')
    return file


@pytest.mark.parametrize(("name", "kind"), [("yard.jpg", "JPEG"), ("yard.png", "PNG")])
def test_a_file_gives_a_picture_and_its_size_is_told(
    edged: Edged, clip: Path, tmp_path: Path, name: str, kind: str
) -> None:
    result = edged("snapshot", clip, "-o", tmp_path / name)
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith(f"{tmp_path / name}: {kind}, 320 × 240, ")
    assert number_of(read_image(tmp_path / name)) == 0


def test_a_camera_is_known_by_its_name_in_the_configuration(edged: Edged, config: Path, tmp_path: Path) -> None:
    result = edged("snapshot", "yard", "-c", config, "-o", tmp_path / "yard.jpg")
    assert (result.code, result.err) == (0, "")
    assert (tmp_path / "yard.jpg").is_file()


def test_a_name_that_the_configuration_does_not_have_is_a_mistake(edged: Edged, config: Path, tmp_path: Path) -> None:
    result = edged("snapshot", "gate", "-c", config, "-o", tmp_path / "gate.jpg")
    assert result.code == 2
    assert "has no camera 'gate'" in result.err
    assert "It has: yard, door." in result.err


@pytest.mark.skipif(DEFAULT_CONFIG.exists(), reason="this machine has a configuration")
def test_a_name_without_a_configuration_is_a_mistake(edged: Edged, tmp_path: Path) -> None:
    result = edged("snapshot", "gate", "-o", tmp_path / "gate.jpg")
    assert result.code == 2
    assert "Which camera is 'gate'?" in result.err


def test_a_camera_that_is_not_there_makes_no_file(edged: Edged, config: Path, tmp_path: Path) -> None:
    result = edged("snapshot", "door", "-c", config, "-o", tmp_path / "door.jpg")
    assert result.code == 3
    assert "gone.mp4" in result.err
    assert not (tmp_path / "door.jpg").exists()


def test_a_name_of_no_known_format_is_refused_before_the_camera_is_opened(edged: Edged, tmp_path: Path) -> None:
    result = edged("snapshot", "/dev/video99", "-o", tmp_path / "yard.gif")
    assert result.code == 2
    assert "must end in .jpg or .jpeg or .png" in result.err


def test_a_picture_that_cannot_be_written_has_its_own_exit_code(edged: Edged, clip: Path, tmp_path: Path) -> None:
    result = edged("snapshot", clip, "-o", tmp_path / "gone" / "yard.jpg")
    assert result.code == 7
    assert "mkdir -p" in result.err


def test_a_camera_on_the_network_is_named_by_its_address(edged: Edged, tmp_path: Path) -> None:
    with closing(HttpCamera(login="admin:s3cr3t")) as camera:
        result = edged("snapshot", camera.url("admin:s3cr3t"), "-o", tmp_path / "yard.png")
    assert (result.code, result.err) == (0, "")
    assert number_in(read_image(tmp_path / "yard.png")) == 0


@pytest.mark.parametrize(
    "make",
    [
        lambda: HttpCamera(login="admin:other"),
        lambda: HttpCamera(piece=lambda seq: part(seq, data=b"no picture")),
    ],
)
def test_a_camera_on_the_network_that_gives_no_picture_keeps_its_password(
    edged: Edged, tmp_path: Path, make: Callable[[], HttpCamera]
) -> None:
    file = tmp_path / "edged.toml"
    with closing(make()) as camera:
        file.write_text(f'[[camera]]\nname = "yard"\nsource = "{camera.url("admin:s3cr3t")}"\nframe_timeout_s = 0.2\n')
        result = edged("snapshot", "yard", "-c", file, "-o", tmp_path / "yard.png")
    assert result.code == 3
    assert "http://admin:***@127.0.0.1" in result.err
    assert "s3cr3t" not in result.out + result.err


@pytest.mark.parametrize(
    "command",
    [("snapshot", "admin:s3cr3t@camera/x", "-o", "x.jpg"), ("demo", "--source", "rtsp:/admin:s3cr3t@camera/")],
)
def test_a_mistyped_address_is_a_mistake_that_shows_no_password(edged: Edged, command: tuple[str, ...]) -> None:
    result = edged(*command)
    assert result.code == 2
    assert "looks like a network address" in result.err
    assert "s3cr3t" not in result.out + result.err
