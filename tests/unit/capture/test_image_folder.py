from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from edged.capture.image_folder import ImageFolderSource
from edged.domain.frame import Frame
from edged.errors import SourceDenied, SourceError, SourceNotFound, SourceUnreadable
from edged.ports import EndOfStream
from edged.testing.clock import FakeClock
from tests.unit.capture.clips import as_nobody


def write(path: Path, image: npt.NDArray[np.integer[Any]]) -> Path:
    assert cv2.imwrite(str(path), image)
    return path


def plain(value: int, width_px: int = 20, height_px: int = 10) -> npt.NDArray[np.uint8]:
    return np.full((height_px, width_px, 3), value, np.uint8)


def source(path: Path, interval_s: float = 0.1) -> ImageFolderSource:
    return ImageFolderSource(path, clock=FakeClock(), interval_s=interval_s)


def play(opened: ImageFolderSource) -> list[Frame]:
    opened.open()
    frames: list[Frame] = []
    while True:
        try:
            frame = opened.read(1.0)
        except EndOfStream:
            return frames
        assert frame is not None
        frames.append(frame)


def assert_refused(path: Path, error: type[SourceError], words: str) -> None:
    refused = source(path)
    with pytest.raises(error, match=words) as caught:
        refused.open()
    assert str(path) in caught.value.message
    assert caught.value.hint


def test_pictures_come_in_the_order_that_a_person_counts(tmp_path: Path) -> None:
    for value, name in enumerate(["a2.png", "a10.png", "A11.jpg", "b1.bmp", "b1a.webp"]):
        write(tmp_path / name, plain(10 * value))
    assert [round(frame.image().mean() / 10) for frame in play(source(tmp_path))] == [0, 1, 2, 3, 4]


def test_other_files_hidden_files_and_folders_are_left_alone(tmp_path: Path) -> None:
    write(tmp_path / "1.png", plain(9))
    write(tmp_path / ".2.png", plain(9))
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "folder.png").mkdir()
    opened = source(tmp_path)
    assert len(play(opened)) == 1
    assert opened.stats.corrupt == 0


def test_a_single_picture_is_a_source_of_one_frame(tmp_path: Path) -> None:
    assert len(play(source(write(tmp_path / "one.png", plain(9))))) == 1


def test_frames_may_differ_in_size_and_are_spaced_by_the_interval(tmp_path: Path) -> None:
    for number, size in enumerate([(1, 1), (4097, 33), (20, 10)]):
        write(tmp_path / f"{number}.png", plain(9, *size))
    frames = play(source(tmp_path, interval_s=2.0))
    assert [(frame.width_px, frame.height_px) for frame in frames] == [(1, 1), (4097, 33), (20, 10)]
    assert [frame.captured_at - frames[0].captured_at for frame in frames] == [0.0, 2.0, 4.0]


def test_grey_transparent_and_deep_pictures_become_plain_bgr(tmp_path: Path) -> None:
    write(tmp_path / "1-grey.png", plain(100)[..., 0])
    write(tmp_path / "2-alpha.png", np.dstack([plain(100), plain(7)[..., 0]]))
    write(tmp_path / "3-deep.png", plain(100).astype(np.uint16) * 257)
    write(tmp_path / "4-deep-grey.png", plain(100)[..., 0].astype(np.uint16) * 257)
    frames = play(source(tmp_path))
    assert len(frames) == 4
    for frame in frames:
        assert np.array_equal(frame.image(), plain(100))
        assert frame.image().dtype == np.uint8


def test_a_picture_taken_with_the_camera_on_its_side_comes_upright(tmp_path: Path) -> None:
    image = plain(0)
    image[:, :10] = 250
    jpeg = cv2.imencode(".jpg", image)[1].tobytes()
    # one tag, 0x0112 orientation, value 6: the top row of the scene is the right column of the file
    tiff = b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x0112, 3, 1, 6, 0, 0)
    exif = b"Exif\0\0" + tiff
    (tmp_path / "side.jpg").write_bytes(jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:])
    frame = play(source(tmp_path))[0]
    assert (frame.width_px, frame.height_px) == (10, 20)
    assert frame.image()[2, 5].min() > 200
    assert frame.image()[17, 5].max() < 50


def test_unreadable_pictures_are_counted_and_passed_over_and_keep_their_place(tmp_path: Path) -> None:
    write(tmp_path / "1.png", plain(10))
    (tmp_path / "2.png").write_bytes(b"")
    (tmp_path / "3.jpg").write_text("no picture")
    whole = write(tmp_path / "4.png", np.random.default_rng(0).integers(0, 255, (50, 50, 3), dtype=np.uint8))
    (tmp_path / "5.png").write_bytes(whole.read_bytes()[:60])
    write(tmp_path / "6.png", plain(60))
    opened = source(tmp_path)
    assert [frame.seq for frame in play(opened)] == [0, 3, 5]
    assert opened.stats.corrupt == 3
    assert opened.frame_count() == 6


def test_a_folder_without_pictures_is_unreadable(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no picture")
    assert_refused(tmp_path, SourceUnreadable, "no pictures")


def test_a_folder_with_no_readable_picture_says_why(tmp_path: Path) -> None:
    (tmp_path / "1.jpg").write_text("no picture")
    assert_refused(tmp_path, SourceUnreadable, "no whole JPEG")


def test_a_missing_folder_is_not_found(tmp_path: Path) -> None:
    assert_refused(tmp_path / "gone", SourceNotFound, "nothing at")


def test_a_folder_that_this_user_may_not_list_is_denied(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir(mode=0)
    with as_nobody():
        assert_refused(folder, SourceDenied, "may not be opened")


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def test_a_picture_too_large_for_memory_is_refused_unread(tmp_path: Path) -> None:
    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    bomb = (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(bytes(100)))
        + _chunk(b"IEND", b"")
    )
    (tmp_path / "bomb.png").write_bytes(bomb)
    assert_refused(tmp_path / "bomb.png", SourceUnreadable, "30000 × 30000 pixels, more than 64 million")


def test_pictures_are_listed_anew_at_each_open(tmp_path: Path) -> None:
    write(tmp_path / "1.png", plain(10))
    opened = source(tmp_path)
    assert len(play(opened)) == 1
    write(tmp_path / "2.png", plain(10))
    assert len(play(opened)) == 2


def test_an_interval_of_nothing_is_a_mistake_in_the_program(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="interval_s"):
        source(tmp_path, interval_s=0.0)
