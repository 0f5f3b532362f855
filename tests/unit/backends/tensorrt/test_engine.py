"""TensorRT among the engines."""

from __future__ import annotations

from pathlib import Path

import pytest

from edged.backends.tensorrt.driver import find_gpu
from edged.backends.tensorrt.engine import TensorRtEngine
from edged.backends.tensorrt.libraries import Libraries
from edged.domain.engines import Absent, EngineOptions, ModelFiles, Presence, Present
from edged.errors import BackendError
from edged.testing.nvidia.gpu import FakeGpu
from edged.testing.nvidia.libcuda import FakeLibcuda
from edged.testing.onnx_model import write_tiny_onnx_model
from tests.tensorrt import SHAPE, Machine


def _engine(*installed: str, init_code: int = 0) -> TensorRtEngine:
    def package(module: str, *, install: str, distribution: str | None = None) -> Presence:
        if module in installed:
            return Present(f"{module} 10.3.0")
        return Absent(f"the package {module} is not installed", install)

    libraries = Libraries(find_gpu=lambda: find_gpu(lambda: FakeLibcuda(FakeGpu(), init_code=init_code)))
    return TensorRtEngine(libraries=libraries, package=package)


@pytest.mark.parametrize("cuda", ["pycuda", "cuda"])
def test_it_is_here_with_a_driver_tensorrt_and_either_library_for_cuda(cuda: str) -> None:
    assert _engine("tensorrt", cuda).presence() == Present(
        "tensorrt 10.3.0 on Orin (compute capability 8.7)", accelerated=True
    )


@pytest.mark.parametrize(
    ("installed", "init_code", "reason"),
    [
        (("tensorrt", "pycuda"), 100, "cuInit gives 100"),
        (("pycuda",), 0, "tensorrt is not installed"),
        (("tensorrt",), 0, "neither pycuda nor cuda-python"),
    ],
)
def test_what_is_missing_is_named(installed: tuple[str, ...], init_code: int, reason: str) -> None:
    presence = _engine(*installed, init_code=init_code).presence()
    assert isinstance(presence, Absent)
    assert reason in presence.reason
    assert not presence.reason.endswith(".")
    assert presence.hint


def _files(format_: str, **files: Path) -> ModelFiles:
    return ModelFiles("tiny", format_, files, "in0", ("out0", "out1"), SHAPE)


@pytest.mark.parametrize(("format_", "key"), [("onnx", "model"), ("tensorrt", "onnx")])
def test_a_model_is_built_into_the_folder_for_caches_and_progress_is_told(
    tmp_path: Path, format_: str, key: str
) -> None:
    machine, told = Machine(), list[str]()
    options = EngineOptions(cache_dir=tmp_path / "cache", progress=told.append)
    files = _files(format_, **{key: write_tiny_onnx_model(tmp_path)})
    TensorRtEngine(libraries=machine.libraries).load(files, options).close()
    assert len(list((tmp_path / "cache" / "tensorrt").glob("tiny-*.engine"))) == 1
    assert told == ["building tiny for TensorRT: Building engine 0/2"]


def test_precision_and_dla_core_reach_the_builder(tmp_path: Path) -> None:
    machine = Machine()
    files = _files("onnx", model=write_tiny_onnx_model(tmp_path))
    engine = TensorRtEngine(libraries=machine.libraries)
    engine.load(files, EngineOptions(precision="fp32")).close()
    engine.load(files, EngineOptions(dla_core=1)).close()
    assert machine.trt.world.builds == [[], ["FP16", "GPU_FALLBACK", "TF32"]]


def test_an_unknown_precision_is_refused(tmp_path: Path) -> None:
    files = _files("onnx", model=write_tiny_onnx_model(tmp_path))
    with pytest.raises(BackendError, match=r"fp4[^$]*fp16"):
        TensorRtEngine(libraries=Machine().libraries).load(files, EngineOptions(precision="fp4"))
