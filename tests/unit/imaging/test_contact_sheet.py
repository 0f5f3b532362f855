from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edged.errors import EdgedError
from edged.imaging.contact_sheet import Tile, contact_sheet, fit, save_contact_sheet
from edged.imaging.files import cannot_write
from tests.unit.imaging.scenes import grey


def test_tiles_are_laid_out_in_rows_and_filled_from_the_left() -> None:
    tiles = [Tile(np.full((240, 320, 3), 50 + 40 * number, np.uint8)) for number in range(5)]
    sheet = contact_sheet(tiles, columns=3)
    assert sheet.shape[1] == pytest.approx(3 * 320, abs=30)
    height_px, width_px = sheet.shape[:2]
    centres = [sheet[height_px // 4, width_px * (2 * column + 1) // 6, 0] for column in range(3)]
    assert centres == [50, 90, 130]
    assert sheet[height_px * 3 // 4, width_px * 5 // 6, 0] < 50


def test_without_columns_the_sheet_is_about_square() -> None:
    assert contact_sheet([Tile(grey())] * 9).shape[1] == contact_sheet([Tile(grey())] * 7, columns=3).shape[1]


def test_a_caption_is_written_below_its_tile_and_touches_nothing_else() -> None:
    plain = contact_sheet([Tile(grey()), Tile(grey())], columns=2)
    named = contact_sheet([Tile(grey(), "x" * 200), Tile(grey())], columns=2)
    changed = (plain != named).any(axis=2)
    assert changed.any()
    assert not changed[:240].any()
    assert not changed[:, 330:].any()


def test_pictures_of_any_shape_are_fitted_without_distortion() -> None:
    fitted = fit(np.full((100, 10, 3), 255, np.uint8), width_px=320, height_px=240)
    white = (fitted > 200).all(axis=2)
    assert white.sum() == pytest.approx(240 * 24, rel=0.05)
    assert fit(np.full((1, 1, 3), 255, np.uint8), width_px=32, height_px=24).shape == (24, 32, 3)
    assert fit(np.full((33, 4097, 3), 255, np.uint8), width_px=32, height_px=24).shape == (24, 32, 3)


def test_no_tiles_give_an_empty_sheet() -> None:
    assert contact_sheet([]).size > 0


def test_a_saved_sheet_is_a_jpeg(tmp_path: Path) -> None:
    save_contact_sheet(tmp_path / "sheet.jpg", [Tile(grey(), "one")])
    image = cv2.imread(str(tmp_path / "sheet.jpg"))
    assert image is not None
    assert image.shape == contact_sheet([Tile(grey())]).shape


def test_a_missing_folder_is_an_error_that_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(EdgedError, match=r"sheet.jpg cannot be written") as caught:
        save_contact_sheet(tmp_path / "gone" / "sheet.jpg", [])
    assert f"mkdir -p {tmp_path / 'gone'}" in caught.value.hint


def test_a_full_disk_is_an_error_that_says_so() -> None:
    with pytest.raises(EdgedError, match="/dev/full cannot be written") as caught:
        save_contact_sheet(Path("/dev/full"), [Tile(grey())] * 40)
    assert "disk is full" in caught.value.hint


def test_a_read_only_place_is_an_error_that_says_so() -> None:
    assert "may not write" in cannot_write(Path("x"), OSError(30, "Read-only file system")).hint
