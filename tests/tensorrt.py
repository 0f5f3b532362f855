"""A make-believe machine with TensorRT, for the tests of the real backend."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from edged.backends.tensorrt.backend import TensorRtBackend
from edged.backends.tensorrt.device import open_device
from edged.backends.tensorrt.driver import find_gpu
from edged.backends.tensorrt.engine import TensorRtEngine
from edged.backends.tensorrt.libraries import Libraries
from edged.backends.tensorrt.loader import Files
from edged.backends.tensorrt.plan import Precision, Wishes
from edged.domain.engines import Absent
from edged.testing.nvidia.cuda_python import FakeCudaPython
from edged.testing.nvidia.gpu import FakeGpu
from edged.testing.nvidia.libcuda import FakeLibcuda
from edged.testing.nvidia.machine import importer, tiny_model
from edged.testing.nvidia.pycuda import FakePycuda
from edged.testing.nvidia.tensorrt import fake_tensorrt
from edged.testing.nvidia.tensorrt_base import FakeModel
from edged.testing.onnx_model import tiny_onnx, write_tiny_onnx_model

SHAPE = (3, 5, 7)

TINY: Mapping[bytes, FakeModel] = {tiny_onnx(seed=seed): tiny_model(seed) for seed in range(3)}

ENGINES = Path(tempfile.gettempdir()) / "edged-tests-tensorrt"
"""Where engines that were built on a real GPU are kept from one test to the next."""


def demand_real_tensorrt() -> str:
    """Skip the test, with the reason, where there is no GPU or no TensorRT; return what there is."""
    presence = TensorRtEngine().presence()
    if isinstance(presence, Absent):
        pytest.skip(f"no TensorRT here: {presence.reason}")
    return presence.detail


def load_on_real_gpu(
    onnx: Path,
    input_shape: tuple[int, int, int],
    *,
    input_name: str = "in0",
    outputs: Sequence[str] = ("out0", "out1"),
    precision: Precision = Precision.FP32,
    **options: Any,
) -> TensorRtBackend:
    """Load an ONNX file on the GPU of this machine."""
    return TensorRtBackend(
        Files(onnx=onnx),
        input_name=input_name,
        output_names=outputs,
        input_shape=input_shape,
        cache_folder=ENGINES,
        wishes=Wishes(precision),
        **options,
    )


@dataclass
class Machine:
    """A GPU, a version of TensorRT and a library for CUDA."""

    version: str = "10.3.0"
    cuda: str = "pycuda"
    gpu: FakeGpu = field(default_factory=FakeGpu)
    models: Mapping[bytes, FakeModel] = field(default_factory=lambda: TINY)
    records: bool = True  # whether streams can be captured

    def __post_init__(self) -> None:
        self.trt = fake_tensorrt(self.gpu, self.version, self.models)
        self._modules: dict[str, Any] = (
            {"pycuda_driver": FakePycuda(self.gpu)}
            if self.cuda == "pycuda"
            else {"cuda_bindings_driver": FakeCudaPython(self.gpu, records=self.records)}
        )

    @property
    def libraries(self) -> Libraries:
        return Libraries(
            find_gpu=lambda: find_gpu(lambda: FakeLibcuda(self.gpu)),
            tensorrt=lambda: self.trt,
            open_device=lambda: open_device(importer(**self._modules)),
        )

    def load(
        self, files: Files, cache: Path, *, outputs: Sequence[str] = ("out0", "out1"), **options: Any
    ) -> TensorRtBackend:
        return TensorRtBackend(
            files,
            input_name="in0",
            output_names=outputs,
            input_shape=SHAPE,
            cache_folder=cache,
            libraries=self.libraries,
            **options,
        )

    def load_tiny(self, folder: Path, seed: int = 0, **options: Any) -> TensorRtBackend:
        """Load the tiny model of that seed from its ONNX file."""
        return self.load(Files(onnx=write_tiny_onnx_model(folder, seed=seed)), folder / "engines", **options)
