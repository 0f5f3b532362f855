"""The model that comes with edged: it is whole, small, and sees in a picture what it saw when it was made."""

import hashlib
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from edged.backends.catalogue import all_engines
from edged.backends.choice import AUTO, choose
from edged.backends.onnxruntime import OnnxRuntimeEngine
from edged.detect.catalogue import find_model
from edged.detect.detector import ModelDetector
from edged.detect.golden import check_golden
from edged.detect.load import load_spec
from edged.detect.selfcheck import try_model
from edged.domain import boxes
from edged.domain.engines import EngineOptions
from edged.domain.frame import Frame
from tests.unit.detect.engines import ncnn_fp32

FOLDER = find_model("builtin")


@pytest.fixture(scope="module")
def golden() -> dict[str, object]:
    answer: dict[str, object] = json.loads((FOLDER / "golden.json").read_text())
    return answer


def test_all_that_ships_is_at_most_one_and_a_half_megabytes() -> None:
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) <= 1_500_000


def test_it_is_described_and_licensed() -> None:
    spec = load_spec(FOLDER)
    assert spec.licence == "Apache-2.0"
    assert {"person", "vehicle"} <= set(spec.labels)
    assert (FOLDER / "CARD.md").is_file()


@pytest.mark.parametrize("mirrored", [False, True])
def test_it_sees_in_the_golden_picture_what_it_saw_when_it_was_made(
    golden: dict[str, list[dict[str, object]]], mirrored: bool
) -> None:
    recorded = golden["objects"]
    image = cv2.imread(str(FOLDER / "golden.jpg"))
    assert image is not None
    detector: ModelDetector = try_model(load_spec(FOLDER), ncnn_fp32)
    found = detector.detect(Frame.of(np.asarray(image[:, ::-1] if mirrored else image, np.uint8)))
    detector.close()
    xyxy = np.array([row["xyxy"] for row in recorded], np.float32)
    if mirrored:
        xyxy = np.stack([image.shape[1] - xyxy[:, 2], xyxy[:, 1], image.shape[1] - xyxy[:, 0], xyxy[:, 3]], axis=1)
    overlap = boxes.iou(xyxy, found.xyxy)
    assert len(recorded) >= 3
    for row, there in zip(recorded, overlap, strict=True):
        alike = (found.class_id == detector.labels.index(str(row["label"]))) & (there > (0.5 if mirrored else 0.9))
        assert alike.any(), f"{row} is gone"
        if not mirrored:
            assert found.confidence[alike].max() == pytest.approx(row["confidence"], abs=0.03)


def test_it_sees_nothing_in_an_empty_picture() -> None:
    detector = try_model(load_spec(FOLDER), ncnn_fp32)
    grey = np.full((480, 640, 3), 114, np.uint8)
    found = detector.detect(Frame.of(grey))
    detector.close()
    assert (found.confidence < detector.spec.thresholds.low_confidence).all()


def test_a_damaged_file_is_noticed(tmp_path: Path) -> None:
    for path in FOLDER.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    weights = tmp_path / "edged-nano.bin"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x00\x01")
    with pytest.raises(Exception, match="SHA-256"):
        load_spec(tmp_path)


def test_its_onnx_twin_stands_on_the_same_weights_and_gives_the_same_numbers() -> None:
    spec = load_spec(FOLDER)
    twin = spec.files("onnx").files["model"].read_bytes()
    weights = spec.files("ncnn").files["bin"]
    assert hashlib.sha256(weights.read_bytes()).hexdigest().encode() in twin, "python -m edged.optimize.onnx_twin"
    assert len(twin) < 100_000
    blob = np.random.default_rng(1).random(spec.input_shape, dtype=np.float32)
    onnx = OnnxRuntimeEngine().load(spec.files("onnx"), EngineOptions())
    for one, other in zip(ncnn_fp32(spec).infer(blob), onnx.infer(blob), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)


def test_it_agrees_with_its_recorded_answer_in_every_engine_that_is_here() -> None:
    spec = load_spec(FOLDER)
    for engine, format_ in choose(AUTO, all_engines(), spec.formats).candidates:
        agreement = check_golden(spec, engine.load(spec.files(format_), EngineOptions()))
        assert agreement is not None
        assert (agreement.edge_px < 2, agreement.confidence < 0.02) == (True, True), engine.name
