"""The eye of these tests sees red, as cars."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from edged.domain import boxes
from edged.domain.coco import COCO80
from edged.domain.frame import BgrImage
from edged.errors import ModelNotFound
from edged.optimize import grid
from edged.optimize.classes import COCO_IDS
from edged.optimize.grid import Floats
from edged.optimize.looking import Raw
from edged.optimize.photos import Photo
from edged.optimize.second_look import NAME, look_again
from edged.optimize.targets import two_hot
from edged.optimize.teacher import files_in
from tests.unit.optimize.pictures import CAR, block_photo


def red_eye() -> "RedEye":
    return RedEye()


class RedEye:
    def __call__(self, image: BgrImage) -> tuple[Floats, Floats]:
        size_px = len(image)
        centres, strides = grid.cells(size_px, size_px)
        scores, spread = np.zeros((len(COCO80), len(centres)), np.float32), np.zeros((32, len(centres)), np.float32)
        red = (image[..., 2] > 170) & (image[..., 0] < 80)
        count, _, stats, _ = cv2.connectedComponentsWithStats(red.astype(np.uint8))
        for left, top, width, height, _ in stats[1:count]:
            xyxy = np.array([left, top, left + width, top + height], np.float32)
            away = np.abs(centres - (xyxy[:2] + xyxy[2:]) / 2).max(axis=1)
            cell = int(np.where(strides == 64, away, np.inf).argmin())
            reach = np.concatenate([centres[cell] - xyxy[:2], xyxy[2:] - centres[cell]]) / strides[cell]
            scores[CAR, cell], spread[:, cell] = 0.9, two_hot(reach[None])[:, 0]
        return scores, spread


def looked_at(photo: Photo) -> Photo:
    return look_again([photo], red_eye, processes=1)[0]


def bare(seed: int) -> Photo:
    nothing = block_photo(seed, scope=frozenset())
    return replace(nothing, xyxy=nothing.xyxy[:0], class_id=nothing.class_id[:0])


def test_what_nobody_boxed_is_boxed() -> None:
    blocks = [block_photo(seed) for seed in range(4)]
    alone = [photo for photo in blocks if len(photo.xyxy) == 1]
    found = look_again([bare(int(photo.name[6:])) for photo in alone], red_eye, processes=2)
    for photo, truth in zip(found, alone, strict=True):
        assert photo.class_id.tolist() == [CAR]
        assert boxes.iou(photo.xyxy, truth.xyxy) > 0.9


def test_classes_that_were_boxed_completely_stay_as_they_are() -> None:
    photo = replace(bare(1), scope=frozenset({CAR}))
    assert len(looked_at(photo).xyxy) == 0


def test_what_was_boxed_is_not_boxed_again_nor_as_another_vehicle() -> None:
    photo = replace(block_photo(1), scope=frozenset())
    truck = replace(photo, class_id=np.full_like(photo.class_id, COCO_IDS["truck"]))
    assert looked_at(truck).class_id.tolist() == truck.class_id.tolist()


def test_a_person_in_front_of_it_hides_no_car() -> None:
    photo = replace(block_photo(1), scope=frozenset())
    person = replace(photo, class_id=np.full_like(photo.class_id, COCO_IDS["person"]))
    assert looked_at(person).class_id.tolist() == [*person.class_id.tolist(), *[CAR] * len(photo.xyxy)]


def both(image: BgrImage) -> tuple[Floats, Floats]:
    """Sees each red block as a car, and less surely as a truck."""
    scores, spread = RedEye()(image)
    scores[COCO_IDS["truck"]] = scores[CAR] * 0.8
    return scores, spread


def eye_for_both() -> Raw:
    return both


def test_one_vehicle_that_is_seen_as_two_kinds_is_boxed_once() -> None:
    seen = look_again([bare(1)], eye_for_both, processes=1)[0]
    assert seen.class_id.tolist() == [CAR] * len(block_photo(1).xyxy)


def test_a_folder_without_its_files_is_an_error_before_anybody_looks(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match=r"picodet-s-416\.param"):
        files_in(tmp_path, name=NAME)
