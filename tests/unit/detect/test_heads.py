from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from edged.detect.heads.make import make_head
from edged.detect.spec import Family
from edged.domain.detections import Detections
from edged.errors import BackendError, ModelError, ModelInvalid
from tests.unit.detect.specs import LABELS, model_spec

CELLS = 42  # 32 of stride 8 (8 a row), 8 of stride 16 (4 a row), 2 of stride 32


def _decode(family: Family, outputs: Sequence[Any], confidence: float = 0.25) -> Detections:
    strides = () if family is Family.END2END else (8, 16, 32)
    return make_head(model_spec(family, strides)).decode(outputs, confidence)


def _ultralytics() -> Any:
    """One car at cell 5, one dog at cell 41; a person below the threshold."""
    output = np.zeros((CELLS, 7), np.float32)
    output[5] = [30, 20, 10, 4, 0.1, 0.8, 0.3]
    output[41] = [50, 16, 20, 8, 0.0, 0.1, 0.6]
    output[7] = [50, 16, 20, 8, 0.2, 0.1, 0.1]
    return output


ULTRALYTICS = [[25, 18, 35, 22], [40, 12, 60, 20]]


def _yolox() -> Any:
    output = np.zeros((CELLS, 8), np.float32)
    output[9] = [0.5, 0.25, math.log(2), math.log(0.5), 0.9, 0, 0.5, 0]  # stride 8, column 1, row 1
    output[32 + 6] = [0, 0, 0, 0, 0.5, 0.1, 0.1, 0.8]  # stride 16, column 2, row 1
    output[3] = [0, 0, 0, 0, 0.3, 0.5, 0, 0]  # 0.15 in all
    return output


YOLOX = [[12 - 8, 10 - 2, 12 + 8, 10 + 2], [32 - 8, 16 - 8, 32 + 8, 16 + 8]]


def _gfl() -> list[Any]:
    scores = [np.zeros((cells, 3), np.float32) for cells in (32, 8, 2)]
    edges = [np.zeros((cells, 16), np.float32) for cells in (32, 8, 2)]
    scores[0][9, 1] = 0.7  # centre 12, 12
    scores[2][1, 2] = 0.9  # centre 48, 16
    for side, bin_number in enumerate([0, 1, 2, 3]):
        edges[0][9, side * 4 + bin_number] = 50.0  # the softmax is all there
    # edges[2] is level: the mean of bins 0, 1, 2, 3 is 1.5
    return scores + edges


GFL = [[12, 12 - 8, 12 + 16, 12 + 24], [48 - 48, 16 - 48, 48 + 48, 16 + 48]]


def _assert_found(
    found: Detections, xyxy: Sequence[Sequence[float]], confidence: list[float], class_id: list[int]
) -> None:
    np.testing.assert_allclose(found.xyxy, xyxy, atol=1e-4)
    np.testing.assert_allclose(found.confidence, confidence, atol=1e-6)
    assert found.class_id.tolist() == class_id
    assert found.xyxy.dtype == np.float32
    assert found.confidence.dtype == np.float32
    assert found.class_id.dtype == np.int32


@pytest.mark.parametrize("turn", [lambda output: output, lambda output: np.ascontiguousarray(output.T)])
@pytest.mark.parametrize("axes", [(), (None,), (None, None)])
def test_ultralytics_boxes_are_centre_and_size_in_input_pixels(turn: Any, axes: tuple[None, ...]) -> None:
    found = _decode(Family.ULTRALYTICS, [turn(_ultralytics())[axes]])
    _assert_found(found, ULTRALYTICS, [0.8, 0.6], [1, 2])


@pytest.mark.parametrize("turn", [lambda output: output, lambda output: np.ascontiguousarray(output.T)])
def test_yolox_boxes_are_relative_to_their_cell(turn: Any) -> None:
    _assert_found(_decode(Family.YOLOX, [turn(_yolox())]), YOLOX, [0.45, 0.4], [1, 2])


@pytest.mark.parametrize("turn", [lambda output: output, lambda output: np.ascontiguousarray(output.T)])
def test_gfl_edges_are_expected_distances_from_the_centre_of_the_cell(turn: Any) -> None:
    _assert_found(_decode(Family.GFL, [turn(output) for output in _gfl()]), GFL, [0.7, 0.9], [1, 2])


@pytest.mark.parametrize("turn", [lambda output: output, lambda output: np.ascontiguousarray(output.T)])
def test_end_to_end_rows_are_taken_as_they_are(turn: Any) -> None:
    rows = np.zeros((300, 6), np.float32)
    rows[0] = [1, 2, 30, 20, 0.9, 2]
    rows[1] = [1, 2, 30, 20, 0.25, 0]  # equal to the threshold: stays
    rows[2] = [1, 2, 30, 20, 0.2, 0]
    _assert_found(_decode(Family.END2END, [turn(rows)]), [[1, 2, 30, 20]] * 2, [0.9, 0.25], [2, 0])


@pytest.mark.parametrize(
    ("family", "outputs"),
    [
        (Family.ULTRALYTICS, [_ultralytics()]),
        (Family.YOLOX, [_yolox()]),
        (Family.GFL, _gfl()),
        (Family.END2END, [np.zeros((300, 6), np.float32)]),
    ],
)
def test_nothing_above_the_threshold_gives_empty_detections(family: Family, outputs: Sequence[Any]) -> None:
    found = _decode(family, outputs, 0.95)
    assert len(found) == 0
    assert found.xyxy.shape == (0, 4)


def test_a_score_equal_to_the_threshold_stays() -> None:
    table = np.zeros((CELLS, 7), np.float32)
    table[5] = [30, 20, 10, 4, 0, 0.75, 0]
    grid = np.zeros((CELLS, 8), np.float32)
    grid[5, [4, 6]] = [0.75, 1]
    levels = _gfl()
    levels[0][9, 1], levels[2][1, 2] = 0.75, 0
    for turned in (table, np.asfortranarray(table)):
        assert len(_decode(Family.ULTRALYTICS, [turned], 0.75)) == 1
    assert len(_decode(Family.YOLOX, [grid], 0.75)) == 1
    assert len(_decode(Family.GFL, levels, 0.75)) == 1


@pytest.mark.parametrize(
    ("family", "outputs"),
    [
        (Family.ULTRALYTICS, []),
        (Family.ULTRALYTICS, [np.zeros((6, CELLS))]),
        (Family.ULTRALYTICS, [np.zeros((7, 41))]),  # the size of another input
        (Family.ULTRALYTICS, [np.zeros((7, CELLS)), np.zeros((7, CELLS))]),
        (Family.ULTRALYTICS, [np.zeros(7)]),
        (Family.YOLOX, [np.zeros((CELLS, 7))]),
        (Family.YOLOX, [np.zeros((2, CELLS, 8))]),
        (Family.END2END, [np.zeros((300, 7))]),
        (Family.END2END, [np.zeros((2, 300, 6))]),
        (Family.GFL, [np.zeros((32, 3))]),
        (Family.GFL, _gfl()[3:] + _gfl()[:3]),
        (Family.GFL, [*_gfl()[:5], np.zeros((2, 15))]),
        (Family.GFL, [_gfl()[1], _gfl()[0], *_gfl()[2:]]),
    ],
)
def test_outputs_of_another_shape_are_refused_with_what_was_expected(family: Family, outputs: Sequence[Any]) -> None:
    with pytest.raises(ModelInvalid, match="expected"):
        _decode(family, [np.asarray(output, np.float32) for output in outputs])


def test_an_end_to_end_output_given_to_another_head_is_recognised() -> None:
    with pytest.raises(ModelInvalid, match="end2end"):
        _decode(Family.ULTRALYTICS, [np.zeros((300, 6), np.float32)])


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize(
    ("family", "outputs", "damaged", "row"),
    [
        (Family.ULTRALYTICS, [_ultralytics()], 0, 5),
        (Family.ULTRALYTICS, [np.asfortranarray(_ultralytics())], 0, 5),
        (Family.YOLOX, [_yolox()], 0, 9),
        (Family.GFL, _gfl(), 0, 9),
        (Family.GFL, _gfl(), 2, 1),
        (Family.GFL, _gfl(), 3, 9),
        (Family.GFL, _gfl(), 5, 1),
        (Family.END2END, [np.array([[1, 2, 30, 20, 0.9, 2]], np.float32)], 0, 0),
    ],
)
def test_a_number_that_is_not_finite_never_passes_silently(
    family: Family, outputs: Sequence[Any], damaged: int, row: int, bad: float
) -> None:
    for column in range(outputs[damaged].shape[1]):
        copies = [output.copy(order="K") for output in outputs]
        copies[damaged][row, column] = bad
        with pytest.raises(BackendError, match="not finite"):
            _decode(family, copies)


def test_a_class_without_a_label_is_an_error() -> None:
    with pytest.raises(ModelError, match=f"{len(LABELS)} labels"):
        _decode(Family.END2END, [np.array([[0, 0, 1, 1, 0.9, 3]], np.float32)])
