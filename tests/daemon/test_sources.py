"""What a person may point the daemon at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from tests.daemon.conftest import Box, make_visits
from tests.unit.capture.clips import make_clip

pytestmark = pytest.mark.slow


def test_an_empty_video_is_refused_by_name(box: Box) -> None:
    (box.folder / "empty.mp4").touch()
    box.configure('source = "empty.mp4"')
    ended = box.run_config()
    assert ended.code == 3
    ended.told("empty.mp4", "is empty")


def test_a_text_that_calls_itself_a_video_is_refused_by_name(box: Box) -> None:
    (box.folder / "notes.mp4").write_text("milk, bread, eggs\n" * 100)
    box.configure('source = "notes.mp4"')
    ended = box.run_config()
    assert ended.code == 3
    ended.told("notes.mp4", "no video that can be decoded")


def test_a_video_that_is_not_there_is_refused_by_name(box: Box) -> None:
    box.configure('source = "nothing.mp4"')
    ended = box.run_config()
    assert ended.code == 3
    ended.told("nothing.mp4", "No such file")
    shown = box.run("status", "--data", box.data)
    assert shown.code == 6
    shown.told("not running: failed: there is nothing at", "nothing.mp4")


def test_a_video_of_one_frame_is_no_mistake(box: Box) -> None:
    make_clip(box.folder / "one.mp4", frames=1)
    box.configure('source = "one.mp4"')
    ended = box.run_config()
    assert (ended.code, "Traceback" in ended.err) == (0, False)
    status = box.status()
    assert status is not None
    assert status["cameras"][0]["frames"] == 1
    assert box.events() == []


def test_a_clip_cut_off_in_the_middle_gives_what_it_has(box: Box) -> None:
    whole = make_visits(box.folder / "whole.avi")
    data = whole.read_bytes()
    (box.folder / "cut.avi").write_bytes(data[: len(data) // 2])
    box.configure('source = "cut.avi"')
    ended = box.run_config()
    assert (ended.code, "Traceback" in ended.err) == (0, False)
    assert [event["kind"] for event in box.events()][:2] == ["appeared", "left"]


def test_a_folder_of_odd_pictures_is_worked_off(box: Box) -> None:
    folder = box.folder / "pictures"
    folder.mkdir()
    pictures: dict[str, npt.NDArray[Any]] = {
        "1.png": np.zeros((1, 1, 3), np.uint8),
        "2.png": np.full((33, 4097, 3), 90, np.uint8),
        "3.png": np.full((50, 70), 90, np.uint8),
        "4.png": np.full((50, 70, 4), 90, np.uint8),
        "5.png": np.full((4097, 33), 40_000, np.uint16),
    }
    for name, picture in pictures.items():
        cv2.imwrite(str(folder / name), picture)
    (folder / "6.png").write_text("not a picture")
    box.configure('source = "pictures"')
    ended = box.run_config()
    assert (ended.code, "Traceback" in ended.err) == (0, False)
    status = box.status()
    assert status is not None
    assert status["cameras"][0]["frames"] == 5
    assert status["cameras"][0]["corrupt"] == 1


def test_a_demo_of_odd_pictures_makes_its_video_and_sheet(box: Box) -> None:
    folder = box.folder / "pictures"
    folder.mkdir()
    for number, shape in enumerate([(1, 1, 3), (33, 4097, 3), (120, 160)]):
        cv2.imwrite(str(folder / f"{number}.png"), np.full(shape, 90, np.uint8))
    ended = box.run("demo", "--source", "pictures", "--model", "./spot", "--data", "out")
    assert (ended.code, ended.complaints) == (0, "")
    assert (box.folder / "out" / "annotated.mp4").stat().st_size > 0
    assert (box.folder / "out" / "contact-sheet.jpg").stat().st_size > 0


def test_a_missing_camera_is_tried_again_and_sigterm_ends_it_at_once(box: Box, clip: Path) -> None:
    box.configure('source = "/dev/video987"', f'source = "{clip}"')
    process = box.start("run", "-c", box.config)
    status = box.wait_for(process, lambda status: status["cameras"][1]["state"] == "ended")
    assert status["cameras"][0]["state"].startswith("lost: there is nothing at /dev/video987")
    shown = box.run("status", "--data", box.data)
    assert (shown.code, "lost: there is nothing at" in shown.out) == (8, True)
    process.terminate()
    ended = box.end_of(process, within_s=2.0)
    assert ended.code == 0
    assert "/dev/video987" in ended.err
    lost, *others = sorted(box.events(), key=lambda event: event["camera"])
    assert (lost["camera"], lost["kind"], lost["reason"]) == ("cam0", "camera_lost", "not_found")
    assert [event["camera"] for event in others] == ["cam1"] * 4
    shown = box.run("status", "--data", box.data)
    assert shown.code == 6
    shown.told("stopped")
