"""What every detector promises, the scripted one included."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from edged.detect.detector import ModelDetector
from edged.detect.spec import Family
from edged.domain.detections import Detections
from edged.domain.frame import BgrImage, Frame
from edged.errors import BackendError, FrameCorrupt
from edged.ports import Detector
from edged.testing.backend import ScriptedBackend
from edged.testing.detector import ScriptedDetector
from tests.unit.detect.specs import LABELS, model_spec

FOUND = Detections(np.array([[16, 8, 32, 16]], np.float32), np.array([0.75], np.float32), np.array([2], np.int32))


def _model_detector(fails_at: set[int]) -> Detector:
    """A model of input 64 x 32 that finds FOUND in a picture of 128 x 64."""
    rows = np.array([[8, 4, 16, 8, 0.75, 2]], np.float32)
    backend = ScriptedBackend([rows], input_shape=(3, 32, 64), fails_at=fails_at)
    return ModelDetector(model_spec(Family.END2END, ()), backend)


def _scripted_detector(fails_at: set[int]) -> Detector:
    return ScriptedDetector(LABELS, lambda image: FOUND, fails_at=fails_at)


@pytest.fixture(params=[_model_detector, _scripted_detector])
def make(request: pytest.FixtureRequest) -> Callable[[set[int]], Detector]:
    maker: Callable[[set[int]], Detector] = request.param
    return maker


def _picture() -> Any:
    return np.zeros((64, 128, 3), np.uint8)


def test_it_gives_boxes_in_frame_pixels_with_labels(make: Callable[[set[int]], Detector]) -> None:
    detector = make(set())
    found = detector.detect(Frame.of(_picture()))
    np.testing.assert_allclose(found.xyxy, FOUND.xyxy)
    np.testing.assert_allclose(found.confidence, FOUND.confidence)
    assert [detector.labels[row] for row in found.class_id] == ["dog"]
    assert found.xyxy.dtype == np.float32
    assert found.confidence.dtype == np.float32
    assert found.class_id.dtype == np.int32


def test_earlier_answers_stay_as_they_were(make: Callable[[set[int]], Detector]) -> None:
    detector = make(set())
    first = detector.detect(Frame.of(_picture()))
    detector.detect(Frame.of(_picture()))
    np.testing.assert_allclose(first.xyxy, FOUND.xyxy)


def test_a_failure_is_a_backend_error_and_the_next_call_works(make: Callable[[set[int]], Detector]) -> None:
    detector = make({2})
    detector.detect(Frame.of(_picture()))
    with pytest.raises(BackendError):
        detector.detect(Frame.of(_picture()))
    assert len(detector.detect(Frame.of(_picture()))) == 1


def test_the_picture_is_left_as_it_was(make: Callable[[set[int]], Detector]) -> None:
    picture = _picture()
    make(set()).detect(Frame.of(picture))
    assert not picture.any()


def test_a_script_gives_its_answers_in_turn_and_then_nothing() -> None:
    detector = ScriptedDetector(LABELS, [FOUND, Detections.empty(), FOUND])
    assert [len(detector.detect(Frame.of(_picture()))) for _ in range(5)] == [1, 0, 1, 0, 0]
    assert detector.calls == 5


def test_it_finds_nothing_in_a_frame_that_cannot_be_decoded(make: Callable[[set[int]], Detector]) -> None:
    def damaged(*_: int) -> BgrImage:
        raise FrameCorrupt("damaged", hint="Nothing needs doing.")

    frame = Frame(seq=0, captured_at=0.0, width_px=128, height_px=64, decode=damaged, decode_for=damaged)
    with pytest.raises(FrameCorrupt):
        make(set()).detect(frame)
