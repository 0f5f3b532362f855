import contextlib
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edged.domain.detections import Detections
from edged.optimize.evaluate import average_precision

CLASSES = 3


def detections(rows: Sequence[tuple[float, float, float, float, float, int]]) -> Detections:
    """Rows of left, top, width, height, confidence, class."""
    table = np.array(rows, np.float32).reshape(-1, 6)
    xyxy = np.concatenate([table[:, :2], table[:, :2] + table[:, 2:4]], axis=1)
    return Detections(xyxy, table[:, 4], table[:, 5].astype(np.int32))


def random_picture(rng: np.random.Generator) -> tuple[Detections, Detections]:
    """Some objects, and detections that hit some of them and miss others."""
    count = int(rng.integers(0, 12))
    there = np.column_stack(
        [
            rng.uniform(0, 80, (count, 2)),
            rng.uniform(5, 40, (count, 2)),
            np.ones(count),
            rng.integers(0, CLASSES, count),
        ]
    )
    found = np.repeat(there, 2, axis=0)[rng.permutation(2 * count)[: int(rng.integers(0, 2 * count + 1))]]
    found[:, :4] += rng.normal(0, 4, (len(found), 4))
    found[:, 2:4] = np.maximum(found[:, 2:4], 1)
    found[:, 4] = rng.integers(1, 20, len(found)) / 20  # equal scores happen
    return detections([tuple(row) for row in found]), detections([tuple(row) for row in there])


def reference(pictures: Sequence[tuple[Detections, Detections]]) -> Any:
    """Pycocotools' precision table (10, classes)."""
    coco = pytest.importorskip("pycocotools.coco")
    cocoeval = pytest.importorskip("pycocotools.cocoeval")

    def rows(which: int) -> list[dict[str, Any]]:
        return [
            {
                "id": image * 1000 + number + 1,
                "image_id": image,
                "category_id": int(one.class_id[number]),
                "bbox": [float(x) for x in (*one.xyxy[number, :2], *(one.xyxy[number, 2:] - one.xyxy[number, :2]))],
                "area": 1000.0,
                "iscrowd": 0,
                "score": float(one.confidence[number]),
            }
            for image, pair in enumerate(pictures)
            for one in [pair[which]]
            for number in range(len(one))
        ]

    with contextlib.redirect_stdout(io.StringIO()):
        truth = coco.COCO()
        truth.dataset = {
            "info": {},
            "images": [{"id": image} for image in range(len(pictures))],
            "categories": [{"id": class_id} for class_id in range(CLASSES)],
            "annotations": rows(1),
        }
        truth.createIndex()
        judge = cocoeval.COCOeval(truth, truth.loadRes(rows(0)), "bbox")
        judge.evaluate()
        judge.accumulate()
    return judge.eval["precision"][:, :, :, 0, 2].mean(axis=1)


@pytest.mark.parametrize("seed", range(6))
def test_it_agrees_with_pycocotools_on_random_pictures(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pictures = [random_picture(rng) for _ in range(20)]
    theirs = reference(pictures)
    ours = average_precision([found for found, _ in pictures], [there for _, there in pictures], CLASSES)
    assert np.abs(ours.table - theirs).max() < 1e-6
    assert 0.05 < ours.map50_95 < ours.map50 < 0.95  # the pictures are neither empty nor perfect


def test_what_was_found_exactly_scores_one() -> None:
    there = detections([(0, 0, 10, 10, 1, 0), (20, 20, 10, 10, 1, 1)])
    precision = average_precision([there], [there], 2)
    assert precision.map50 == precision.map50_95 == precision.at50(1) == 1.0


def test_a_second_detection_of_one_object_is_a_false_one() -> None:
    there = detections([(0, 0, 10, 10, 1, 0), (50, 50, 10, 10, 1, 0)])
    found = detections([(0, 0, 10, 10, 0.9, 0), (0, 0, 10, 10, 0.8, 0)])
    assert average_precision([found], [there], 1).at50(0) == pytest.approx(51 / 101)


def test_a_class_without_objects_is_left_out_of_the_mean() -> None:
    there = detections([(0, 0, 10, 10, 1, 0)])
    precision = average_precision([there], [there], 2)
    assert np.isnan(precision.at50(1))
    assert precision.map50 == 1.0


def test_a_picture_counts_only_for_the_classes_that_were_annotated() -> None:
    there = detections([(0, 0, 10, 10, 1, 0)])
    found = detections([(0, 0, 10, 10, 0.5, 0), (40, 40, 10, 10, 0.9, 1)])
    second = detections([(40, 40, 10, 10, 1, 1)])
    precision = average_precision([found, second], [there, second], 2, scopes=[{0}, {0, 1}])
    assert precision.at50(1) == 1.0


def test_only_the_best_hundred_detections_of_a_picture_count() -> None:
    there = detections([(0, 0, 10, 10, 1, 0)])
    found = detections([(500, 500, 5, 5, 0.9, 0)] * 100 + [(0, 0, 10, 10, 0.1, 0)])
    assert average_precision([found], [there], 1).at50(0) == 0.0


@given(st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_precision_lies_between_zero_and_one_and_falls_with_stricter_overlap(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pictures = [random_picture(rng) for _ in range(4)]
    table = average_precision([found for found, _ in pictures], [there for _, there in pictures], CLASSES).table
    known = table[:, ~np.isnan(table[0])]
    assert ((known >= 0) & (known <= 1)).all()
    assert (np.diff(known, axis=0) <= 1e-9).all()
