"""What every backend promises, the scripted one included."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import psutil
import pytest

from edged.backends.litert import LiteRtBackend
from edged.backends.ncnn import NcnnBackend, Precision
from edged.backends.onnxruntime import OnnxRuntimeBackend
from edged.errors import BackendError, ModelError
from edged.ports import Backend
from edged.testing.backend import ScriptedBackend
from edged.testing.litert_model import write_tiny_litert_model
from edged.testing.ncnn_model import GRAPH, tiny_answer, write_tiny_ncnn_model
from edged.testing.onnx_model import write_tiny_onnx_model
from tests.tensorrt import Machine, demand_real_tensorrt, load_on_real_gpu

SHAPE = (3, 5, 7)  # odd sides: ncnn pads its channels in memory

Make = Callable[[int], Backend]
"""Builds a backend with the tiny model of that seed."""


NAMES: dict[str, Any] = {"input_name": "in0", "output_names": ["out0", "out1"], "input_shape": SHAPE}


def _blob(seed: int = 1) -> npt.NDArray[np.float32]:
    return np.random.default_rng(seed).random(SHAPE, dtype=np.float32)


TENSORRT = {
    "tensorrt-8.5": Machine("8.5.2", cuda="pycuda"),
    "tensorrt-10": Machine("10.3.0", cuda="pycuda"),
    "tensorrt-11": Machine("11.4.1", cuda="cuda-python"),
}


REAL_TENSORRT = pytest.param("tensorrt", marks=pytest.mark.hardware)

ENGINES = ["ncnn", "onnxruntime", "litert", "litert-channels-first", "scripted", *TENSORRT, REAL_TENSORRT]


@pytest.fixture(params=ENGINES)
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    def make_ncnn(seed: int) -> Backend:
        param, weights = write_tiny_ncnn_model(tmp_path, seed=seed)
        return NcnnBackend(
            param,
            weights,
            input_name="in0",
            output_names=["out0", "out1"],
            input_shape=SHAPE,
            precision=Precision.FP32,
        )

    def make_scripted(seed: int) -> Backend:
        return ScriptedBackend(lambda blob: tiny_answer(blob, seed=seed), input_shape=SHAPE)

    def make_tensorrt(seed: int) -> Backend:
        return TENSORRT[request.param].load_tiny(tmp_path, seed)

    def make_real_tensorrt(seed: int) -> Backend:
        demand_real_tensorrt()
        return load_on_real_gpu(write_tiny_onnx_model(tmp_path, seed=seed), SHAPE)

    def make_onnxruntime(seed: int) -> Backend:
        return OnnxRuntimeBackend(write_tiny_onnx_model(tmp_path, seed=seed), cache_dir=tmp_path / "cache", **NAMES)

    def make_litert(seed: int) -> Backend:
        channels_last = request.param == "litert"
        return LiteRtBackend(write_tiny_litert_model(tmp_path, seed=seed, channels_last=channels_last), **NAMES)

    makers: dict[str, Make] = {
        "ncnn": make_ncnn,
        "scripted": make_scripted,
        "onnxruntime": make_onnxruntime,
        "tensorrt": make_real_tensorrt,
    }
    return makers.get(request.param, make_tensorrt if request.param in TENSORRT else make_litert)


def _assert_equal(found: list[npt.NDArray[np.float32]], expected: list[npt.NDArray[np.float32]]) -> None:
    assert [output.shape for output in found] == [output.shape for output in expected]
    assert all(output.dtype == np.float32 for output in found)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_outputs_come_in_the_named_order_without_a_batch_axis(make: Make) -> None:
    _assert_equal(make(0).infer(_blob()), tiny_answer(_blob()))


def test_a_blob_that_is_not_contiguous_gives_the_same(make: Make) -> None:
    turned = np.asfortranarray(_blob())
    assert not turned.flags.c_contiguous
    _assert_equal(make(0).infer(turned), tiny_answer(_blob()))


def test_the_blob_stays_as_it_was(make: Make) -> None:
    blob = _blob()
    make(0).infer(blob)
    np.testing.assert_array_equal(blob, _blob())


def test_outputs_own_their_memory(make: Make) -> None:
    backend = make(0)
    first = backend.infer(_blob(1))
    backend.infer(_blob(2))
    backend.close()
    del backend
    gc.collect()
    _assert_equal(first, tiny_answer(_blob(1)))
    for output in first:
        output[...] = 0  # nobody else reads it


@pytest.mark.parametrize("shape", [(3, 6, 7), (1, 5, 7), (5, 7), (1, 3, 5, 7), (3, 0, 7)])
def test_a_blob_of_another_size_is_refused(make: Make, shape: tuple[int, ...]) -> None:
    with pytest.raises(BackendError, match=r"\(3, 5, 7\)"):
        make(0).infer(np.zeros(shape, np.float32))


def test_a_blob_of_another_type_is_refused(make: Make) -> None:
    wrong: npt.NDArray[np.float32] = np.zeros(SHAPE, np.float64)
    with pytest.raises(BackendError, match="float64"):
        make(0).infer(wrong)


def test_not_a_number_in_the_blob_does_no_harm(make: Make) -> None:
    backend = make(0)
    backend.infer(np.full(SHAPE, np.nan, np.float32))
    _assert_equal(backend.infer(_blob()), tiny_answer(_blob()))


def test_two_backends_live_side_by_side(make: Make) -> None:
    one, other = make(0), make(1)
    for _ in range(3):
        _assert_equal(one.infer(_blob()), tiny_answer(_blob(), seed=0))
        _assert_equal(other.infer(_blob()), tiny_answer(_blob(), seed=1))
    one.close()
    _assert_equal(other.infer(_blob()), tiny_answer(_blob(), seed=1))


def test_two_threads_with_a_backend_each_do_not_disturb_each_other(make: Make) -> None:
    backends = [make(0), make(1)]
    wrong: list[int] = []

    def work(seed: int) -> None:
        expected = tiny_answer(_blob(seed), seed=seed)
        for _ in range(100):
            found = backends[seed].infer(_blob(seed))
            if not all(np.allclose(one, other, atol=1e-5) for one, other in zip(found, expected, strict=True)):
                wrong.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_infer_after_close_is_an_error_and_close_may_be_repeated(make: Make) -> None:
    backend = make(0)
    backend.close()
    backend.close()
    with pytest.raises(BackendError, match="closed"):
        backend.infer(_blob())


@pytest.mark.slow
def test_loading_and_unloading_a_hundred_times_leaves_no_memory_behind(make: Make) -> None:
    def cycle() -> None:
        backend = make(0)
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
    assert resident_bytes() - before < 1_000_000


def test_a_scripted_failure_comes_at_its_call_and_the_next_succeeds() -> None:
    backend = ScriptedBackend([np.zeros(1, np.float32)], input_shape=SHAPE, fails_at={2})
    backend.infer(_blob())
    with pytest.raises(BackendError, match="Call 2"):
        backend.infer(_blob())
    backend.infer(_blob())
    assert backend.calls == 3


@pytest.mark.parametrize(
    ("param", "weights"),
    [
        (b"", None),
        (b"\x89PNG\r\n\x1a\n\x00\xff\xfe", None),
        (b"7767517\n", None),
        (b"7767517\n4 5\nInput", None),
        (GRAPH.replace("4 5", "9 9").encode(), None),
        (GRAPH.replace("Convolution conv   1", "Convolution conv   -1").encode(), None),
        (GRAPH.replace("6=12", "6=twelve").encode(), None),
        (GRAPH.replace("Pooling", "Frobnicate").encode(), None),
        (None, b""),
        (None, b"\x47\x6b\x30\x01"),
        (None, bytes(1000)),
        (None, b"\xff" * 44),
    ],
)
def test_garbage_files_give_an_error_that_names_the_file(
    tmp_path: Path, param: bytes | None, weights: bytes | None
) -> None:
    param_path, weights_path = write_tiny_ncnn_model(tmp_path)
    if param is not None:
        param_path.write_bytes(param)
    if weights is not None:
        weights_path.write_bytes(weights)
    with pytest.raises(ModelError, match="tiny"):
        NcnnBackend(param_path, weights_path, input_name="in0", output_names=["out0", "out1"], input_shape=SHAPE)


GARBAGE = {
    "empty": b"",
    "picture": b"\x89PNG\r\n\x1a\n\x00\xff\xfe",
    "text": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
    "zeros": bytes(4096),
    "noise": np.random.default_rng(0).bytes(4096),
    "a LiteRT head alone": b"\x1c\x00\x00\x00TFL3" + np.random.default_rng(1).bytes(512),
}


@pytest.mark.parametrize("garbage", [*GARBAGE.values(), 0.1, 0.5, 0.9], ids=[*GARBAGE, "cut 0.1", "cut 0.5", "cut 0.9"])
@pytest.mark.parametrize("engine", ["onnxruntime", "litert"])
def test_garbage_in_one_file_gives_an_error_that_names_the_file(
    tmp_path: Path, engine: str, garbage: bytes | float
) -> None:
    backend: type[Backend] = OnnxRuntimeBackend if engine == "onnxruntime" else LiteRtBackend
    path = write_tiny_onnx_model(tmp_path) if engine == "onnxruntime" else write_tiny_litert_model(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * garbage)] if isinstance(garbage, float) else garbage)
    with pytest.raises(ModelError, match="tiny"):
        backend(path, **NAMES)  # type: ignore[call-arg]
