"""Models that say in which numbers they compute, compared with what they were made of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("onnx", reason="no onnx here: scripts/env optimize makes an environment that has it")
ort = pytest.importorskip("onnxruntime")

from edged.optimize.typed_onnx import write_float16, write_int8
from edged.testing.ncnn_model import tiny_answer
from edged.testing.onnx_model import write_tiny_onnx_model

pytestmark = pytest.mark.slow

SHAPE = (3, 32, 32)


def _blobs(count: int) -> list[npt.NDArray[np.float32]]:
    random = np.random.default_rng(0)
    return [random.random(SHAPE, dtype=np.float32) for _ in range(count)]


def _run(path: Path, blob: npt.NDArray[np.float32]) -> list[npt.NDArray[np.float32]]:
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return [output[0] for output in session.run(None, {"in0": blob[None]})]


def _operators(path: Path) -> set[str]:
    import onnx

    return {node.op_type for node in onnx.load(str(path)).graph.node}


def test_float16_answers_as_float32_does_but_for_rounding(tmp_path: Path) -> None:
    target = tmp_path / "half.onnx"
    write_float16(write_tiny_onnx_model(tmp_path, shape=SHAPE), target)
    blob = _blobs(1)[0]
    found = _run(target, blob)
    assert all(output.dtype == np.float32 for output in found)
    for one, other in zip(found, tiny_answer(blob), strict=True):
        np.testing.assert_allclose(one, other, atol=0.01)
    assert any((one != other).any() for one, other in zip(found, tiny_answer(blob), strict=True))


def test_int8_answers_within_its_steps(tmp_path: Path) -> None:
    target = tmp_path / "int8.onnx"
    write_int8(write_tiny_onnx_model(tmp_path, shape=SHAPE), target, _blobs(8))
    for blob in _blobs(8):
        for one, other in zip(_run(target, blob), tiny_answer(blob), strict=True):
            np.testing.assert_allclose(one, other, atol=0.1)
    assert {"QuantizeLinear", "DequantizeLinear"} <= _operators(target)


def test_int8_is_what_tensorrt_takes_symmetric_per_channel_with_biases_in_float(tmp_path: Path) -> None:
    import onnx
    from onnx import numpy_helper

    target = tmp_path / "int8.onnx"
    write_int8(write_tiny_onnx_model(tmp_path, shape=SHAPE), target, _blobs(2))
    constants = {weight.name: numpy_helper.to_array(weight) for weight in onnx.load(str(target)).graph.initializer}
    zero_points = [array for name, array in constants.items() if "zero_point" in name]
    assert zero_points
    assert all(array.dtype == np.int8 and not array.any() for array in zero_points)
    assert constants["weights_scale"].shape == (4,)
    assert constants["bias"].dtype == np.float32
