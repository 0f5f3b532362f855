from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edged.detect.load import load_spec
from edged.detect.selfcheck import check_model, time_frame, try_model, verify_model
from edged.detect.spec import Boxes, Family, ModelSpec
from edged.errors import BackendError, ModelError, ModelInvalid, ModelNotFound
from edged.testing.backend import ScriptedBackend
from edged.testing.clock import FakeClock
from tests import models
from tests.unit.detect.engines import ncnn_fp32
from tests.unit.detect.specs import model_spec

SHAPE = (3, 32, 64)


def _check(*outputs: Any) -> None:
    spec = model_spec(Family.ULTRALYTICS, outputs=len(outputs))
    check_model(spec, ScriptedBackend([np.asarray(output, np.float32) for output in outputs], input_shape=SHAPE))


def _rows(edge: float) -> Any:
    """Every cell sees a box of `edge` around `edge`, and a middling score."""
    return np.concatenate([np.full((4, 42), edge), np.full((3, 42), 0.5)])


def test_right_outputs_pass() -> None:
    _check(_rows(20))


def test_boxes_in_fractions_where_pixels_are_expected_are_found() -> None:
    with pytest.raises(ModelInvalid, match=r'further than 0.75 (.|\n)*boxes = "fractions"'):
        _check(_rows(0.5))


def test_boxes_in_pixels_where_fractions_are_expected_are_found() -> None:
    spec = model_spec(Family.ULTRALYTICS, outputs=1)
    spec = dataclasses.replace(spec, head=dataclasses.replace(spec.head, boxes=Boxes.FRACTIONS))
    backend = ScriptedBackend([np.asarray(_rows(20), np.float32)], input_shape=SHAPE)
    with pytest.raises(ModelInvalid, match=r'further than 30 (.|\n)*boxes = "pixels"'):
        check_model(spec, backend)


def test_an_export_that_fills_up_with_zeros_is_no_fault() -> None:
    _check(np.zeros((7, 42)))


def test_a_wrong_shape_names_the_model_the_expected_and_the_found() -> None:
    with pytest.raises(ModelInvalid, match=r"Model small.*\(9, 42\).*expected one of \(7, 42\)"):
        _check(np.zeros((9, 42)))


def test_a_wrong_number_of_outputs_is_found() -> None:
    with pytest.raises(ModelInvalid, match=r"\(7, 42\), \(7, 42\)"):
        _check(np.zeros((7, 42)), np.zeros((7, 42)))


def test_not_a_number_names_the_output_and_how_many() -> None:
    output = np.zeros((7, 42))
    output[0, :3] = math.nan
    with pytest.raises(BackendError, match="3 of 294 numbers in output out0 are not finite"):
        _check(output)


@pytest.mark.parametrize("score", [-3.0, 1.5])
def test_scores_outside_0_to_1_are_found(score: float) -> None:
    output = np.zeros((7, 42))
    output[4:, 40] = score
    with pytest.raises(ModelInvalid, match="expected 0 to 1"):
        _check(output)


def test_the_backend_is_closed_when_the_check_fails(tmp_path: Path, shared_dir: Path) -> None:
    backends: list[ScriptedBackend] = []

    def make(spec: ModelSpec) -> ScriptedBackend:
        backends.append(ScriptedBackend([np.zeros((1, 1), np.float32)], input_shape=spec.input_shape))
        return backends[-1]

    with pytest.raises(ModelInvalid):
        try_model(load_spec(models.yolo26n_folder(tmp_path, shared_dir)), make)
    assert backends[0].closed


def test_verify_tells_what_it_finds(tmp_path: Path, shared_dir: Path) -> None:
    detector = try_model(load_spec(models.yolo26n_folder(tmp_path, shared_dir)), ncnn_fp32)
    image: Any = cv2.imread(str(shared_dir / "images" / "bus.jpg"))
    report = verify_model(detector.spec, ncnn_fp32(detector.spec), image)
    assert report.detections is not None
    assert "bus" in [detector.labels[row] for row in report.detections.class_id]


def test_the_time_of_a_frame_is_that_of_one_whole_detection() -> None:
    clock = FakeClock()

    def infer(blob: Any) -> list[Any]:
        clock.advance(0.02)
        return [np.zeros((7, 42), np.float32)]

    backend = ScriptedBackend(infer, input_shape=SHAPE)
    assert time_frame(model_spec(Family.ULTRALYTICS, outputs=1), backend, clock) == pytest.approx(0.02)
    assert backend.calls == 1


@pytest.fixture
def folder(tmp_path: Path, shared_dir: Path) -> Path:
    """PicoDet-S with files of its own that a test may damage."""
    folder = models.picodet_folder(tmp_path, shared_dir, 320)
    for path in folder.iterdir():
        content = path.read_bytes()
        path.unlink()
        path.write_bytes(content)
    return folder


PARAM, WEIGHTS = "picodet_s_320.param", "picodet_s_320.bin"


def _message(folder: Path, kind: type[ModelError] = ModelInvalid) -> str:
    with pytest.raises(kind) as caught:
        try_model(load_spec(folder), ncnn_fp32)
    assert caught.value.hint
    return caught.value.message


def _swap(folder: Path, old: str, new: str) -> None:
    text = (folder / "model.toml").read_text()
    assert old in text
    (folder / "model.toml").write_text(text.replace(old, new))


@pytest.mark.parametrize("kept", [0, 1, 5, 1000, 500_000, 1_990_084, 1_990_087])
def test_a_cut_bin_is_found_wherever_it_is_cut(folder: Path, kept: int) -> None:
    (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:kept])
    message = _message(folder)
    assert f"ends at byte {kept}" in message
    assert "cut off" in message


def test_a_bin_with_too_much_is_found(folder: Path) -> None:
    (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes() + b"\0\0\0\0")
    assert "has 1990092 bytes, but the graph takes 1990088" in _message(folder)


@pytest.mark.parametrize(
    "other", ["yolox-nano-onnx/yolox_nano.ncnn", "yolo26n-320/yolo26n-320.ncnn", "nanodet-m/nanodet-m"]
)
def test_the_bin_or_param_of_another_model_is_found(folder: Path, shared_dir: Path, other: str) -> None:
    own = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes((shared_dir / "models" / f"{other}.bin").read_bytes())
    assert WEIGHTS in _message(folder)
    (folder / WEIGHTS).write_bytes(own)
    (folder / PARAM).write_bytes((shared_dir / "models" / f"{other}.param").read_bytes())
    assert PARAM in _message(folder)


def test_param_and_bin_swapped_are_found(folder: Path) -> None:
    _swap(folder, f'param = "{PARAM}"\nbin = "{WEIGHTS}"', f'param = "{WEIGHTS}"\nbin = "{PARAM}"')
    assert "not a text file" in _message(folder)


def test_random_bytes_for_weights_are_found(folder: Path) -> None:
    (folder / WEIGHTS).write_bytes(np.random.default_rng(0).bytes(1_990_088))
    assert "no weights begin there" in _message(folder)


@pytest.mark.parametrize("name", [PARAM, WEIGHTS])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert name in _message(folder, ModelNotFound)


@pytest.mark.parametrize("kept", [0, 3, 8, 5000])
def test_a_cut_param_is_found(folder: Path, kept: int) -> None:
    (folder / PARAM).write_bytes((folder / PARAM).read_bytes()[:kept])
    assert PARAM in _message(folder)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('input = "in0"', 'input = "images"', "has the input in0; model.toml says images"),
        ('"out6"', '"output6"', "has no output output6; its outputs are out0, out4"),
        ('"out0", "out1"', '"out1", "out0"', r"(400, 80), (1600, 80)"),
        ("strides = [8, 16, 32, 64]", "strides = [8, 16, 32, 48]", "expected scores (1600, 80)"),
        ('"coco80"', '["person"]', "expected scores (1600, 1)"),
    ],
)
def test_a_description_that_does_not_fit_the_files_is_found(folder: Path, old: str, new: str, message: str) -> None:
    _swap(folder, old, new)
    assert message in _message(folder)


def test_nan_weights_are_found(folder: Path) -> None:
    content = bytearray((folder / WEIGHTS).read_bytes())
    content[4:104] = np.full(50, np.nan, np.float16).tobytes()
    (folder / WEIGHTS).write_bytes(content)
    assert "not finite" in _message(folder, BackendError)


@pytest.mark.parametrize("size", [32, 64, 256, 352, 640])  # ncnn writes outside its memory at those below 320
def test_an_input_size_that_a_fixed_model_was_not_made_for_is_found(
    tmp_path: Path, shared_dir: Path, size: int
) -> None:
    folder = models.yolo26n_folder(tmp_path, shared_dir)
    _swap(folder, "width_px = 320", f"width_px = {size}")
    _swap(folder, "height_px = 320", f"height_px = {size}")
    assert f"exported for another input size than {size} x {size}" in _message(folder)
