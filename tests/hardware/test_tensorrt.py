"""TensorRT on a real GPU: real models against ONNX Runtime, engines kept and refused, memory, and what it costs.

    scripts/test -m hardware -s        on a Jetson or a PC with an NVIDIA GPU; prints what it measured

The contract that all backends keep runs there too (tests/contracts/test_backend.py).
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import psutil
import pytest

from edged.backends.tensorrt.backend import TensorRtBackend
from edged.backends.tensorrt.device import Device, open_device
from edged.backends.tensorrt.libraries import NVIDIA
from edged.backends.tensorrt.loader import Files
from edged.backends.tensorrt.onnx_file import read_onnx
from edged.backends.tensorrt.plan import Precision
from edged.errors import BackendError
from edged.testing.ncnn_model import tiny_answer
from edged.testing.onnx_model import write_tiny_onnx_model
from tests.tensorrt import ENGINES, demand_real_tensorrt, load_on_real_gpu

pytestmark = [pytest.mark.hardware, pytest.mark.timeout(3600)]  # a build on an Orin Nano takes minutes

SHAPE = (3, 5, 7)
Floats = npt.NDArray[np.float32]

MODELS = {
    "picodet-s-320": ("picodet-s/picodet_s_320_coco.onnx", "image", 320),
    "yolo26n-320": ("yolo26n-320/yolo26n-320-e2e.onnx", "images", 320),
    "yolox-nano-416": ("yolox-nano-onnx/yolox_nano.onnx", "images", 416),
}


@pytest.fixture(autouse=True, scope="module")
def real_tensorrt() -> None:
    print(f"\n{demand_real_tensorrt()}")


def _blob(shape: tuple[int, int, int] = SHAPE) -> Floats:
    return np.random.default_rng(1).random(shape, dtype=np.float32)


def _milliseconds(work: Callable[[], object], times: int = 200) -> list[float]:
    for _ in range(20):
        work()
    taken = []
    for _ in range(times):
        began = perf_counter()
        work()
        taken.append((perf_counter() - began) * 1e3)
    return sorted(taken)


@pytest.mark.parametrize("precision", [Precision.FP32, Precision.AUTO])
@pytest.mark.parametrize("name", MODELS)
def test_a_real_model_answers_as_onnx_runtime_does(shared_dir: Path, name: str, precision: Precision) -> None:
    import onnxruntime

    file, input_name, size = MODELS[name]
    path = shared_dir / "models" / file
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    outputs = [output.name for output in session.get_outputs()]
    blob = _blob((3, size, size)) * (255 if name.startswith("yolox") else 1)
    expected = [output[0] for output in session.run(outputs, {input_name: blob[None]})]
    began = perf_counter()
    backend = load_on_real_gpu(
        path, (3, size, size), input_name=input_name, outputs=outputs, precision=precision, on_progress=print
    )
    loaded_s = perf_counter() - began
    found = backend.infer(blob)
    taken = _milliseconds(lambda: backend.infer(blob))
    backend.close()
    worst = max(float(np.abs(one - other).max()) for one, other in zip(found, expected, strict=True))
    print(
        f"{name} {precision.value}: ready after {loaded_s:.1f} s, {taken[100]:.2f} ms a frame (p95 {taken[190]:.2f}), "
        f"largest difference {worst:.2g}"
    )
    if precision is Precision.FP32 and name != "yolo26n-320":  # its rows are sorted by score, where ties may swap
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=0.02, atol=0.02)


def test_the_python_side_costs_little(tmp_path: Path) -> None:
    backend = load_on_real_gpu(write_tiny_onnx_model(tmp_path), SHAPE)
    taken = _milliseconds(lambda: backend.infer(_blob()), times=1000)
    backend.close()
    print(f"a model that computes next to nothing: {taken[500]:.3f} ms a frame (p95 {taken[950]:.3f})")
    assert taken[500] < 5.0, "a frame at 30 Hz has 33 ms for everything"


class _Unrecorded:
    """A device that records nothing."""

    def __init__(self, device: Device) -> None:
        self._device = device

    def __getattr__(self, name: str) -> Any:
        return getattr(self._device, name)

    def record(self, work: Callable[[], None]) -> None:
        return None


def _queueing() -> Device:
    return cast(Device, _Unrecorded(open_device()))


@pytest.mark.parametrize("name", MODELS)
def test_a_recorded_frame_answers_as_a_queued_one_does(shared_dir: Path, name: str) -> None:
    file, input_name, size = MODELS[name]
    path = shared_dir / "models" / file
    outputs = [tensor.name for tensor in read_onnx(path)[0].outputs]
    blob, answers = _blob((3, size, size)), []
    for way, libraries in {"recorded": NVIDIA, "queued": replace(NVIDIA, open_device=_queueing)}.items():
        backend = load_on_real_gpu(
            path, (3, size, size), input_name=input_name, outputs=outputs, precision=Precision.AUTO, libraries=libraries
        )
        taken = _milliseconds(partial(backend.infer, blob))
        answers.append(backend.infer(blob))
        backend.close()
        print(f"{name} {way}: {taken[100]:.2f} ms a frame (p95 {taken[190]:.2f})")
    for one, other in zip(*answers, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_kept_engine_is_loaded_in_a_fraction_of_the_time_of_a_build(tmp_path: Path) -> None:
    path = write_tiny_onnx_model(tmp_path)
    taken = []
    for _ in range(2):
        began = perf_counter()
        TensorRtBackend(
            Files(onnx=path),
            input_name="in0",
            output_names=["out0", "out1"],
            input_shape=SHAPE,
            cache_folder=tmp_path / "engines",
        ).close()
        taken.append(perf_counter() - began)
    print(f"the tiny model: built in {taken[0]:.2f} s, loaded in {taken[1]:.2f} s")
    assert taken[1] < taken[0]


@pytest.mark.parametrize("content", [b"garbage", bytes(100_000), b"\xff" * 44])
def test_a_file_that_is_no_engine_is_refused_and_the_next_load_is_unharmed(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "their.engine"
    path.write_bytes(content)
    with pytest.raises(BackendError, match="does not take the engine"):
        TensorRtBackend(
            Files(engine=path), input_name="in0", output_names=["out0"], input_shape=SHAPE, cache_folder=None
        )
    backend = load_on_real_gpu(write_tiny_onnx_model(tmp_path), SHAPE)
    np.testing.assert_allclose(backend.infer(_blob())[0], tiny_answer(_blob())[0], atol=1e-4)
    backend.close()


def test_a_model_loaded_on_one_thread_runs_and_closes_on_another(tmp_path: Path) -> None:
    backend = load_on_real_gpu(write_tiny_onnx_model(tmp_path), SHAPE)
    answers: list[list[Floats]] = []

    def work() -> None:
        answers.extend(backend.infer(_blob()) for _ in range(3))
        backend.close()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert len(answers) == 3
    np.testing.assert_allclose(answers[2][0], tiny_answer(_blob())[0], atol=1e-4)


def test_a_hundred_loads_leave_no_memory_behind(tmp_path: Path) -> None:
    path = write_tiny_onnx_model(tmp_path)

    def cycle() -> None:
        backend = load_on_real_gpu(path, SHAPE)
        backend.infer(_blob())
        backend.close()

    def resident_bytes() -> int:
        gc.collect()
        return int(psutil.Process().memory_info().rss)

    for _ in range(10):
        cycle()
    before = resident_bytes()
    for _ in range(100):
        cycle()
    grown = resident_bytes() - before
    print(f"100 loads: {grown / 1e6:.1f} MB more in memory; engines are kept in {ENGINES}")
    assert grown < 20_000_000
