from __future__ import annotations

import resource
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from edged.capture.image_folder import read_image
from edged.errors import OutputNotWritable
from edged.imaging.still import FORMATS, write_still
from tests.unit.capture.clips import as_nobody, grey_step


@pytest.mark.parametrize("suffix", [*FORMATS, ".JPG", ".Png"])
def test_the_name_decides_the_format(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"yard{suffix}"
    size_bytes = write_still(path, grey_step(3))
    data = path.read_bytes()
    assert len(data) == size_bytes
    assert data.startswith(b"\x89PNG" if suffix.lower() == ".png" else b"\xff\xd8\xff")
    assert read_image(path).shape == (48, 64, 3)


def test_a_png_holds_the_very_pixels(tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    write_still(tmp_path / "yard.png", image)
    assert np.array_equal(read_image(tmp_path / "yard.png"), image)


def test_a_file_that_is_there_is_replaced_whole_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "yard.jpg"
    path.write_bytes(b"old")
    with path.open("rb") as reader:
        write_still(path, grey_step(3))
        assert reader.read() == b"old", "who reads the old picture reads it to its end"
    assert path.read_bytes().startswith(b"\xff\xd8")
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "latest.png").symlink_to("yard.png")
    write_still(tmp_path / "latest.png", grey_step(3))
    assert (tmp_path / "latest.png").is_symlink()
    assert (tmp_path / "yard.png").is_file()


def test_a_folder_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "yard.png").mkdir()
    with pytest.raises(OutputNotWritable, match="no file"):
        write_still(tmp_path / "yard.png", grey_step(3))


def test_a_name_may_be_as_long_as_a_name_can_be_and_a_longer_one_is_told(tmp_path: Path) -> None:
    write_still(tmp_path / f"{'x' * 251}.png", grey_step(3))
    with pytest.raises(OutputNotWritable, match="File name too long"):
        write_still(tmp_path / f"{'x' * 252}.png", grey_step(3))
    assert len(list(tmp_path.iterdir())) == 1


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(OutputNotWritable, match="No such file") as caught:
        write_still(tmp_path / "gone/yard.png", grey_step(3))
    assert "mkdir" in caught.value.hint


def test_where_this_user_may_not_write_the_old_picture_stays() -> None:
    with TemporaryDirectory() as name:
        folder = Path(name).resolve()
        path = folder / "yard.png"
        path.write_bytes(b"old")
        folder.chmod(0o555)
        with as_nobody(), pytest.raises(OutputNotWritable, match="Permission denied"):
            write_still(path, grey_step(3))
        folder.chmod(0o755)
        assert path.read_bytes() == b"old"


def test_a_disk_that_is_full_halfway_leaves_the_old_picture_and_no_rest(tmp_path: Path) -> None:
    path = tmp_path / "yard.png"
    path.write_bytes(b"old")
    noise = np.random.default_rng(0).integers(0, 256, (60, 60, 3), np.uint8)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(OutputNotWritable, match="File too large"):
            write_still(path, noise)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_picture_too_large_for_jpeg_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputNotWritable, match="cannot be written as JPEG"):
        write_still(tmp_path / "yard.jpg", np.zeros((1, 70_000, 3), np.uint8))
