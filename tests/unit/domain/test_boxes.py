"""Box arithmetic, on boxes of every kind."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edged.domain.boxes import area, iou, tlwh_to_xyxy, xyxy_to_tlwh

Boxes = npt.NDArray[np.floating[Any]]

few_boxes = st.integers(0, 4).flatmap(
    lambda count: arrays(np.float32, (count, 4), elements=st.integers(-8, 8).map(float))
)  # of small whole numbers: many touch, cover each other, are empty or inverted


def shared(one: list[float], other: list[float]) -> float:
    """Intersection over union of two boxes by the definition, pixel row and column apart."""
    width = max(0.0, min(one[2], other[2]) - max(one[0], other[0]))
    height = max(0.0, min(one[3], other[3]) - max(one[1], other[1]))
    areas = [max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1]) for box in (one, other)]
    union = sum(areas) - width * height
    return width * height / union if union > 0 else 0.0


@pytest.mark.filterwarnings("error")
@given(few_boxes, few_boxes)
def test_every_box_overlaps_with_every_other_as_far_as_they_share_pixels(a: Boxes, b: Boxes) -> None:
    expected = [[shared(one, other) for other in b.tolist()] for one in a.tolist()]
    found = iou(a, b)
    assert found.shape == (len(a), len(b))
    np.testing.assert_allclose(found, np.reshape(expected, (len(a), len(b))), atol=1e-6)


def test_boxes_of_whole_numbers_overlap_by_fractions() -> None:
    found = iou(np.array([[0, 0, 2, 2]]), np.array([[0, 0, 2, 1]]))
    assert found.tolist() == [[0.5]]


@given(few_boxes)
def test_a_box_has_no_area_below_zero(boxes: Boxes) -> None:
    assert (area(boxes) >= 0).all()


@given(few_boxes)
def test_a_box_is_the_same_there_and_back(boxes: Boxes) -> None:
    np.testing.assert_array_equal(tlwh_to_xyxy(xyxy_to_tlwh(boxes)), boxes)
