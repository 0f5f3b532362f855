from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edged.detect.nms import suppress
from edged.domain.detections import Detections
from tests.unit.detect.reference import Box, overlap

SCORES = st.sampled_from([0.1, 0.3, 0.5, 0.7, 0.9])  # few, so that ties happen
SIDE = st.integers(0, 12)  # few, so that boxes overlap, touch and are empty


@st.composite
def _boxes(draw: st.DrawFn, far: float = 0.0) -> list[Box]:
    boxes = []
    for _ in range(draw(st.integers(0, 25))):
        left, top, width, height = (draw(SIDE) for _ in range(4))
        boxes.append(
            Box(left + far, top + far, left + width + far, top + height + far, draw(SCORES), draw(st.integers(0, 2)))
        )
    return boxes


def _detections(boxes: list[Box]) -> Detections:
    return Detections(
        np.array([[box.left, box.top, box.right, box.bottom] for box in boxes], np.float32).reshape(-1, 4),
        np.array([box.score for box in boxes], np.float32),
        np.array([box.label for box in boxes], np.int32),
    )


def _slow(boxes: list[Box], iou: float) -> list[Box]:
    kept: list[Box] = []
    for box in sorted(boxes, key=lambda box: -box.score):  # stable: ties keep their order
        if all(_overlap(other, box) <= iou for other in kept):
            kept.append(box)
    return kept


def _overlap(one: Box, other: Box) -> float:
    if all(box.left == box.right or box.top == box.bottom for box in (one, other)):
        return 1.0
    return overlap(one, other) if one.label == other.label else 0.0


# Odd fractions: no two small integer boxes overlap by exactly that, so float32 and float64 agree.
IOUS = st.sampled_from([0.0, 0.2718, 0.4321, 0.6173, 0.8191, 1.0])


@given(boxes=_boxes(), iou=IOUS)
def test_it_equals_the_slow_textbook_way(boxes: list[Box], iou: float) -> None:
    found = suppress(_detections(boxes), iou=iou, max_detections=300)
    expected = _detections(_slow(boxes, iou))
    np.testing.assert_array_equal(found.xyxy, expected.xyxy)
    np.testing.assert_array_equal(found.confidence, expected.confidence)
    np.testing.assert_array_equal(found.class_id, expected.class_id)


@given(boxes=_boxes(far=4000.0), iou=IOUS)
def test_boxes_far_from_the_origin_are_judged_as_exactly(boxes: list[Box], iou: float) -> None:
    found = suppress(_detections(boxes), iou=iou, max_detections=300)
    np.testing.assert_array_equal(found.xyxy, _detections(_slow(boxes, iou)).xyxy)


@given(
    boxes=st.lists(st.tuples(*[st.floats(0, 500, width=32)] * 4, st.floats(0, 1, width=32), st.integers(0, 3))),
    iou=st.floats(0, 1),
)
def test_no_two_boxes_of_a_class_that_overlap_more_come_through(
    boxes: list[tuple[float, float, float, float, float, int]], iou: float
) -> None:
    given_boxes = [Box(x, y, x + w, y + h, score, label) for x, y, w, h, score, label in boxes]
    found = suppress(_detections(given_boxes), iou=iou, max_detections=300)
    rows = [
        Box(x1, y1, x2, y2, 0, label)
        for (x1, y1, x2, y2), label in zip(found.xyxy.tolist(), found.class_id.tolist(), strict=True)
    ]
    for number, one in enumerate(rows):
        assert all(_overlap(one, other) <= iou + 1e-4 for other in rows[:number])
    assert (np.diff(found.confidence) <= 0).all()


def test_no_more_than_the_limit_stay_and_they_are_the_best() -> None:
    boxes = [Box(20 * n, 0, 20 * n + 10, 10, n / 100, 0) for n in range(100)]
    found = suppress(_detections(boxes), iou=0.5, max_detections=7)
    np.testing.assert_allclose(found.confidence, [0.99, 0.98, 0.97, 0.96, 0.95, 0.94, 0.93])


def test_a_flood_of_candidates_is_cut_before_boxes_are_compared() -> None:
    flood = Detections(
        np.tile(np.array([[0, 0, 10, 10]], np.float32), (200_000, 1)),
        np.linspace(0, 1, 200_000, dtype=np.float32),
        np.zeros(200_000, np.int32),
    )
    found = suppress(flood, iou=0.5, max_detections=300)  # 200,000 squared would be 160 GB
    assert found.confidence.tolist() == [1.0]


def test_a_class_that_reaches_over_the_left_edge_leaves_the_others_alone() -> None:
    boxes = [Box(300, 300, 400, 400, 0.9, 0), Box(-101, -101, -1, -1, 0.8, 1), Box(-50, 0, 50, 100, 0.7, 2)]
    assert len(suppress(_detections(boxes), iou=0.1, max_detections=300)) == 3


def test_a_box_of_a_broken_model_that_lies_far_off_or_is_inside_out_leaves_the_others_alone() -> None:
    sound = [Box(300, 300, 340, 340, 0.8, 1), Box(500, 500, 540, 540, 0.7, 2), Box(300, 300, 340, 341, 0.6, 1)]
    for broken in (Box(-1e9, 0, 0, 200, 0.9, 0), Box(0, 0, 1e9, 200, 0.9, 0), Box(100, 0, 0, 200, 0.9, 0)):
        found = suppress(_detections([broken, *sound]), iou=0.5, max_detections=300)
        np.testing.assert_array_equal(found.confidence, np.array([0.9, 0.8, 0.7], np.float32))


def test_nothing_in_nothing_out() -> None:
    assert len(suppress(Detections.empty(), iou=0.5, max_detections=300)) == 0
