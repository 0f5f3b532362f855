"""The same model sees the same in every engine, on photographs: what a change of `backend` may change."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edged.detect.load import load_spec
from edged.detect.spec import ModelSpec
from edged.domain.detections import Detections
from edged.domain.frame import Frame
from edged.optimize.evaluate import average_precision
from scripts.benchmarks.engines import as_classes, coco_ids, pictures_of, runners_of
from tests import models

SURE = 0.3


def _look(folder: Path, images: list[Any]) -> tuple[ModelSpec, dict[str, list[Detections]]]:
    spec = load_spec(folder)
    runners = runners_of(spec)
    for image in images:
        for runner in runners:
            runner.found.append(runner.detector.detect(Frame.of(image)))
    found = {runner.engine: runner.found for runner in runners}
    for runner in runners:
        runner.close()
    return spec, found


def _unlike(one: Detections, other: Detections) -> list[str]:
    """The sure objects of `one` that `other` has not, within 2 px and 0.02 of confidence."""
    edges = np.abs(one.xyxy[:, None] - other.xyxy[None]).max(axis=2, initial=0)
    off = np.abs(one.confidence[:, None] - other.confidence[None])
    same = (edges <= 2) & (off <= 0.02) & (one.class_id[:, None] == other.class_id[None])
    return [f"{one.xyxy[row]} {one.confidence[row]}" for row in range(len(one)) if not same[row].any()]


def _built_in(tmp_path: Path, shared: Path) -> Path:
    return models.builtin_everywhere_folder(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make_folder", "engines"),
    [(_built_in, {"ncnn", "onnxruntime", "litert"}), (models.picodet_folder, {"ncnn", "onnxruntime"})],
)
def test_float_models_see_the_same_within_2_px_and_2_percent_and_half_a_point_of_precision(
    make_folder: Callable[[Path, Path], Path], engines: set[str], tmp_path: Path, shared_dir: Path
) -> None:
    images, truth = pictures_of(shared_dir / "images" / "coco128-val2017")
    spec, found = _look(make_folder(tmp_path, shared_dir), images)
    assert engines <= set(found)
    classes = [coco_ids(label) for label in spec.labels]
    there = [as_classes(each, classes) for each in truth]
    precision = {name: average_precision(each, there, len(spec.labels)).map50 * 100 for name, each in found.items()}
    sure = sum(int((each.confidence >= SURE).sum()) for each in found["ncnn"])
    assert sure > 100
    for name in engines - {"ncnn"}:
        pairs = zip(found["ncnn"], found[name], strict=True)
        unlike = [line for one, other in pairs for line in _unlike(one[one.confidence >= SURE], other)]
        assert len(unlike) <= sure * 0.01, (name, unlike)  # where two boxes compete, the least difference decides
        assert precision[name] == pytest.approx(precision["ncnn"], abs=0.5), name


@pytest.mark.slow
def test_a_model_in_int8_loses_at_most_what_the_documents_say(tmp_path: Path, shared_dir: Path) -> None:
    images, truth = pictures_of(shared_dir / "images" / "coco128-val2017")
    spec, found = _look(models.yolo26n_twins_folder(tmp_path, shared_dir), images)
    classes = [coco_ids(label) for label in spec.labels]
    there = [as_classes(each, classes) for each in truth]
    exact = average_precision(found["onnxruntime"], there, len(spec.labels)).map50
    assert average_precision(found["litert"], there, len(spec.labels)).map50 >= exact - 0.01
    sure = sum(int((each.confidence >= SURE).sum()) for each in found["ncnn"])
    pairs = zip(found["ncnn"], found["litert"], strict=True)
    unlike = sum(len(_unlike(one[one.confidence >= SURE], other)) for one, other in pairs)
    assert unlike / sure <= 0.25
