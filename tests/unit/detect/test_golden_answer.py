"""The golden self-test: the recorded answer of a model to a picture."""

from __future__ import annotations

import dataclasses
import json
import resource
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edged.detect.catalogue import find_model
from edged.detect.golden import ANSWER, Golden, check_golden, compare, read_golden, record_golden
from edged.detect.load import load_spec
from edged.detect.selfcheck import try_model
from edged.detect.spec import Colour, Family, ModelSpec
from edged.domain.detections import Detections
from edged.errors import GoldenMismatch, ModelInvalid, ModelNotFound, OutputNotWritable
from tests.unit.detect.engines import ncnn_fp32
from tests.unit.detect.specs import model_spec

GREY = np.full((64, 64, 3), 114, np.uint8)
SPEC = model_spec(Family.END2END, ())  # person, car, dog


def _found(*rows: tuple[tuple[float, float, float, float], float, int]) -> Detections:
    xyxy = np.array([row[0] for row in rows], np.float32).reshape(-1, 4)
    return Detections(
        xyxy, np.array([row[1] for row in rows], np.float32), np.array([row[2] for row in rows], np.int32)
    )


PERSON, CAR = ((10.0, 10.0, 30.0, 60.0), 0.8, 0), ((32.0, 20.0, 62.0, 40.0), 0.6, 1)
GOLDEN = Golden(GREY, 0.5, _found(PERSON, CAR))


def _mistakes(*rows: tuple[tuple[float, float, float, float], float, int]) -> list[str]:
    with pytest.raises(GoldenMismatch) as caught:
        compare(GOLDEN, _found(*rows), SPEC)
    return [line.removeprefix("  - ") for line in caught.value.message.splitlines()[1:]]


def test_the_same_answer_agrees_and_says_how_far_it_is_off() -> None:
    agreement = compare(GOLDEN, _found(((33, 20, 62, 40), 0.57, 1), PERSON), SPEC)
    assert (agreement.objects, agreement.edge_px) == (2, 1)
    assert agreement.confidence == pytest.approx(0.03, abs=1e-6)


def test_an_object_that_is_gone_is_named() -> None:
    assert _mistakes(PERSON) == ["car 60% at 32, 20, 62, 40: not found"]


def test_an_object_with_another_label_is_gone_and_strange() -> None:
    assert _mistakes(PERSON, (CAR[0], 0.7, 2)) == [
        "car 60% at 32, 20, 62, 40: not found",
        "dog 70% at 32, 20, 62, 40: was not there",
    ]


def test_an_object_that_moved_is_gone_and_strange() -> None:
    assert len(_mistakes(PERSON, ((44, 20, 74, 40), 0.7, 1))) == 2


def test_a_confidence_that_is_far_off_is_shown() -> None:
    assert _mistakes((PERSON[0], 0.65, 0), CAR) == ["person 80% at 10, 10, 30, 60: found with 65%"]


def test_of_hundreds_of_differences_the_first_are_shown_and_the_rest_counted() -> None:
    mistakes = _mistakes(*[((60 + step, 0, 64 + step, 4), 0.9, 2) for step in range(300)])
    assert mistakes[0] == "person 80% at 10, 10, 30, 60: not found"
    assert mistakes[10:] == ["and 292 more"]


def test_a_weak_object_that_was_not_recorded_is_no_fault() -> None:
    assert compare(GOLDEN, _found(PERSON, CAR, ((0, 0, 9, 9), 0.55, 2)), SPEC).objects == 2


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the built-in model."""
    copy = tmp_path / "model"
    shutil.copytree(find_model("builtin"), copy)
    return copy


def test_the_built_in_model_is_tried_whenever_it_is_loaded(folder: Path) -> None:
    answer = json.loads((folder / ANSWER).read_text())
    answer["objects"] = answer["objects"][1:]
    (folder / ANSWER).write_text(json.dumps(answer))
    with pytest.raises(GoldenMismatch, match=r"was not there(.|\n)*edged models verify"):
        try_model(load_spec(folder), ncnn_fp32)


@pytest.mark.parametrize("change", [{"colour": Colour.BGR}, {"scale": (1 / 127,) * 3, "mean": (127.0,) * 3}])
def test_wrong_preprocessing_is_found_out(folder: Path, change: dict[str, Any]) -> None:
    spec = load_spec(folder)
    wrong: ModelSpec = dataclasses.replace(spec, input=dataclasses.replace(spec.input, **change))
    with pytest.raises(GoldenMismatch):
        check_golden(wrong, ncnn_fp32(spec))


def test_labels_in_another_order_are_found_out(folder: Path) -> None:
    spec = load_spec(folder)
    with pytest.raises(GoldenMismatch):
        check_golden(dataclasses.replace(spec, labels=spec.labels[::-1]), ncnn_fp32(spec))


def test_what_is_recorded_is_what_is_compared_with_later(folder: Path, tmp_path: Path) -> None:
    spec = load_spec(folder)
    image = cv2.imread(str(folder / "golden.jpg"))
    assert image is not None
    mirrored = np.ascontiguousarray(image[:, ::-1])
    picture = tmp_path / "mirrored.png"
    cv2.imwrite(str(picture), mirrored)
    backend = ncnn_fp32(spec)
    found = record_golden(spec, backend, picture, np.asarray(mirrored, np.uint8))
    agreement = check_golden(spec, backend)
    assert agreement is not None
    assert agreement.objects == len(found) >= 2
    assert agreement.edge_px < 0.1
    assert sorted(path.name for path in folder.glob("golden.*")) == ["golden.json", "golden.png"]


def test_a_picture_in_which_nothing_is_found_is_not_recorded(folder: Path, tmp_path: Path) -> None:
    spec = load_spec(folder)
    before = (folder / ANSWER).read_text()
    with pytest.raises(ModelInvalid, match="finds nothing"):
        record_golden(spec, ncnn_fp32(spec), tmp_path / "grey.png", GREY)
    assert (folder / ANSWER).read_text() == before


def test_a_full_disk_keeps_the_old_picture_and_its_answer(folder: Path, tmp_path: Path) -> None:
    spec, picture = load_spec(folder), tmp_path / "again.png"
    image: Any = cv2.imread(str(folder / "golden.jpg"))
    cv2.imwrite(str(picture), image)
    before = {path.name: path.read_bytes() for path in folder.glob("golden*")}
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limit[1]))  # no file of this process grows beyond
    try:
        with pytest.raises(OutputNotWritable):
            record_golden(spec, ncnn_fp32(spec), picture, image)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert {path.name: path.read_bytes() for path in folder.glob("golden*")} == before


def test_the_golden_picture_itself_may_be_recorded_anew(folder: Path) -> None:
    spec, picture = load_spec(folder), folder / "golden.jpg"
    before = picture.read_bytes()
    image: Any = cv2.imread(str(picture))
    record_golden(spec, ncnn_fp32(spec), picture, image)
    assert picture.read_bytes() == before
    assert check_golden(spec, ncnn_fp32(spec)) is not None


def test_a_model_without_an_answer_is_not_tried(folder: Path) -> None:
    (folder / ANSWER).unlink()
    assert read_golden(load_spec(folder)) is None


def test_an_answer_without_its_picture_is_refused(folder: Path) -> None:
    (folder / "golden.jpg").unlink()
    with pytest.raises(ModelNotFound, match=r"no golden.jpg or golden.png"):
        read_golden(load_spec(folder))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"at_least": 0.3, "objects": [{"label": "cat"}]}', "\x00"])
def test_a_damaged_answer_is_refused(folder: Path, text: str) -> None:
    (folder / ANSWER).write_text(text)
    with pytest.raises(ModelInvalid, match=r"golden.json cannot be read"):
        read_golden(load_spec(folder))
