from pathlib import Path

import cv2
import numpy as np
import pytest

from edged.domain.coco import COCO80
from edged.optimize.classes import COCO_IDS
from edged.optimize.photos import PhotosError, balanced, read_labels, read_photos, scope_of

HEADER = "file,split,source,gt_scope\n"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("none", set()),
        ("full", set(COCO80)),
        ("partial:person", {"person"}),
        ("partial:car,motorcycle,bus,truck (ambulance boxes dropped)", {"car", "motorcycle", "bus", "truck"}),
        ("full for bus,car,person (crowd-sourced)", {"bus", "car", "person"}),
        ("partial (LCV, three-wheeler boxes dropped)", set()),
    ],
)
def test_a_scope_names_the_classes_of_which_everything_is_boxed(text: str, names: set[str]) -> None:
    assert {COCO80[number] for number in scope_of(text)} == names


def folder_with(tmp_path: Path, *, scope: str) -> Path:
    (tmp_path / "train" / "images").mkdir(parents=True)
    (tmp_path / "train" / "labels").mkdir()
    cv2.imwrite(str(tmp_path / "train" / "images" / "one.png"), np.zeros((50, 100, 3), np.uint8))
    (tmp_path / "train" / "labels" / "one.txt").write_text("0 0.5 0.5 0.2 0.4\n")
    (tmp_path / "manifest.csv").write_text(f'{HEADER}train/images/one.png,train,street,"{scope}"\n')
    return tmp_path


def test_boxes_come_in_pixels_of_the_picture(tmp_path: Path) -> None:
    (photo,) = read_photos(folder_with(tmp_path, scope="partial:person"), "train")
    assert photo.xyxy[0] == pytest.approx([40, 15, 60, 35])
    assert photo.class_id.tolist() == [COCO_IDS["person"]]
    assert photo.scope == {COCO_IDS["person"]}


def test_a_picture_that_nobody_annotated_has_no_boxes(tmp_path: Path) -> None:
    (photo,) = read_photos(folder_with(tmp_path, scope="none"), "train")
    assert len(photo.xyxy) == 0
    assert photo.scope == frozenset()


def test_other_splits_are_left_alone(tmp_path: Path) -> None:
    assert read_photos(folder_with(tmp_path, scope="full"), "holdout") == []


def test_a_missing_label_file_means_no_boxes(tmp_path: Path) -> None:
    xyxy, class_id = read_labels(tmp_path / "nothing.txt", 10, 10)
    assert xyxy.shape == (0, 4)
    assert class_id.shape == (0,)


def test_a_folder_without_a_manifest_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(PhotosError, match=r"manifest\.csv"):
        read_photos(tmp_path, "train")


def test_a_picture_that_cannot_be_decoded_is_an_error_that_names_it(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, scope="full")
    (folder / "train" / "images" / "one.png").write_bytes(b"no picture")
    with pytest.raises(PhotosError, match=r"one\.png"):
        read_photos(folder, "train")


def test_everyday_scenes_come_twice(tmp_path: Path) -> None:
    photos = read_photos(folder_with(tmp_path, scope="full"), "train")
    manifest = tmp_path / "manifest.csv"
    manifest.write_text(manifest.read_text().replace("street", "coco-person"))
    assert len(balanced(photos)) == 1
    assert len(balanced(read_photos(tmp_path, "train"))) == 2
