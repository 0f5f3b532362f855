from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.detect.detector import ModelDetector
from edged.detect.load import load_spec
from edged.detect.selfcheck import try_model
from edged.detect.spec import Family, Resize
from edged.domain.frame import Frame
from edged.errors import BackendError, FrameCorrupt
from edged.testing.backend import ScriptedBackend
from tests import models
from tests.unit.detect.engines import ncnn_fp32
from tests.unit.detect.specs import LABELS, input_spec, model_spec

SHAPE = (3, 32, 64)


def _picture(width_px: int = 128, height_px: int = 64) -> Any:
    return np.zeros((height_px, width_px, 3), np.uint8)


def _rows(*rows: list[float]) -> Any:
    table = np.zeros((42, 7), np.float32)
    table[: len(rows)] = rows
    return np.ascontiguousarray(table.T)


def _detector(*rows: list[float], **options: Any) -> ModelDetector:
    spec = model_spec(Family.ULTRALYTICS)
    return ModelDetector(spec, ScriptedBackend([_rows(*rows)], input_shape=SHAPE), **options)


CAR = [20.0, 10.0, 8.0, 4.0, 0.0, 0.9, 0.0]


def test_boxes_come_in_pixels_of_the_frame() -> None:
    found = _detector(CAR).detect(Frame.of(_picture(128, 64)))
    np.testing.assert_allclose(found.xyxy, [[32, 16, 48, 24]])
    assert found.class_id.tolist() == [1]
    assert _detector(CAR).labels == LABELS


def test_the_padding_of_the_letterbox_is_taken_off() -> None:
    found = _detector(CAR).detect(Frame.of(_picture(64, 64)))  # drawn 32 x 32, from x = 16
    np.testing.assert_allclose(found.xyxy, [[0, 16, 16, 24]])


def test_a_box_wholly_in_the_padding_is_dropped() -> None:
    assert len(_detector([5, 10, 8, 4, 0, 0.9, 0]).detect(Frame.of(_picture(64, 64)))) == 0


def test_only_the_best_of_overlapping_boxes_of_a_class_stays() -> None:
    weaker, other_class = [20, 10, 8, 4, 0, 0.8, 0], [20, 10, 8, 4, 0.7, 0, 0]
    found = _detector(weaker, CAR, other_class).detect(Frame.of(_picture()))
    np.testing.assert_allclose(found.confidence, [0.9, 0.7])


def test_the_models_thresholds_hold_unless_others_are_given() -> None:
    rows = [[20, 10, 8, 4, 0, 0.3, 0], [21, 10, 8, 4, 0, 0.26, 0], [40, 10, 8, 4, 0, 0.2, 0]]  # IoU of the first: 0.78
    assert len(_detector(*rows).detect(Frame.of(_picture()))) == 1
    assert len(_detector(*rows, nms_iou=0.9).detect(Frame.of(_picture()))) == 2
    assert len(_detector(*rows, confidence=0.1).detect(Frame.of(_picture()))) == 2
    assert len(_detector(*rows, confidence=0.1, max_detections=1).detect(Frame.of(_picture()))) == 1


def test_end_to_end_boxes_are_not_suppressed_again() -> None:
    rows = np.zeros((300, 6), np.float32)
    rows[:2] = [[4, 4, 12, 12, 0.8, 1], [4, 4, 12, 12, 0.9, 1]]
    detector = ModelDetector(model_spec(Family.END2END, ()), ScriptedBackend([rows], input_shape=SHAPE))
    np.testing.assert_allclose(detector.detect(Frame.of(_picture())).confidence, [0.9, 0.8])


def test_an_error_of_the_backend_comes_through_and_the_next_frame_works() -> None:
    backend = ScriptedBackend([_rows(CAR)], input_shape=SHAPE, fails_at={1})
    detector = ModelDetector(model_spec(Family.ULTRALYTICS), backend)
    with pytest.raises(BackendError):
        detector.detect(Frame.of(_picture()))
    assert len(detector.detect(Frame.of(_picture()))) == 1


def test_a_grey_picture_never_reaches_the_backend() -> None:
    backend = ScriptedBackend([_rows(CAR)], input_shape=SHAPE)
    with pytest.raises(FrameCorrupt):
        ModelDetector(model_spec(Family.ULTRALYTICS), backend).detect(Frame.of(np.zeros((64, 128), np.uint8)))
    assert backend.calls == 0


@given(width_px=st.integers(1, 300), height_px=st.integers(1, 300), resize=st.sampled_from(list(Resize)))
def test_boxes_of_any_picture_lie_inside_it(width_px: int, height_px: int, resize: Resize) -> None:
    random = np.random.default_rng(width_px * 1000 + height_px)
    table = random.random((7, 42), np.float32)
    table[:4] *= 100
    spec = model_spec(Family.ULTRALYTICS, shape=input_spec(resize=resize))
    found = ModelDetector(spec, ScriptedBackend([table], input_shape=SHAPE)).detect(
        Frame.of(_picture(width_px, height_px))
    )
    assert (found.xyxy >= 0).all()
    assert (found.xyxy <= [width_px, height_px, width_px, height_px]).all()
    assert (found.xyxy[:, 2:] > found.xyxy[:, :2]).all()


@pytest.mark.parametrize("size", [(1, 1), (4097, 33), (33, 4097), (1, 2000)])
def test_odd_sizes_go_through_a_real_model(size: tuple[int, int], tmp_path: Path, shared_dir: Path) -> None:

    detector = try_model(load_spec(models.yolo26n_folder(tmp_path, shared_dir)), ncnn_fp32)
    assert len(detector.detect(Frame.of(_picture(*size)))) == 0
