"""The engine ncnn: a Raspberry Pi's."""

from __future__ import annotations

import os
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edged.backends.blobs import check_blob
from edged.backends.ncnn_files import check_files, unusable
from edged.backends.ncnn_shapes import check_input_size
from edged.backends.packages import python_package
from edged.domain.engines import EngineOptions, ModelFiles, Presence
from edged.errors import BackendError


class Precision(str, Enum):
    """In which numbers ncnn keeps weights and activations.

    On x86 (with AVX512-BF16) bf16 saved 12 to 25 % of the processor's time, and moved the edges of boxes on two test
    pictures by up to 11 pixels of 810, where fp16 and fp32 agree with other engines within one.
    """

    AUTO = "auto"  # ncnn's own choice: float16 on Arm where the processor computes in it, float32 on x86
    FP32 = "fp32"
    BF16 = "bf16"


class NcnnEngine:
    """Implements ports.Engine."""

    name = "ncnn"
    formats = ("ncnn",)

    def presence(self) -> Presence:
        """See ports.Engine. ncnn comes with edged, so only a broken installation lacks it."""
        return python_package("ncnn", install="pip install ncnn")

    def load(self, files: ModelFiles, options: EngineOptions) -> NcnnBackend:
        """See ports.Engine."""
        return NcnnBackend(
            files.files["param"],
            files.files["bin"],
            input_name=files.input_name,
            output_names=files.output_names,
            input_shape=files.input_shape,
            threads=options.threads,
        )


class NcnnBackend:
    """A model in ncnn. Used by one thread at a time; several instances may run at once.

    infer() lets other Python threads run meanwhile.
    """

    def __init__(
        self,
        param: Path,
        bin: Path,  # noqa: A002 - ncnn's own word for the file
        *,
        input_name: str,
        output_names: Sequence[str],
        input_shape: tuple[int, int, int],
        threads: int = 1,
        precision: Precision = Precision.AUTO,
    ) -> None:
        """Load the model.

        `input_shape` is (3, height, width), the only size that infer() takes: ncnn reads and writes outside its
        memory when a model of a fixed size is given another. `threads` run one inference.

        Raises ModelNotFound, ModelInvalid or BackendError.
        """
        graph = check_files(param, bin, input_name=input_name, output_names=output_names)
        check_input_size(graph, param, input_name=input_name, input_shape=input_shape)
        self._ncnn = _import_ncnn()
        self._input_name = input_name
        self._output_names = tuple(output_names)
        self._input_shape = input_shape
        # A Mat on numpy's memory has no reference count: a layer that works in place would crash on it. A convolution
        # only reads, so the copy can be spared there.
        self._reads_input = graph.consumers(input_name) == ["Convolution"]
        self._net: Any = self._ncnn.Net()
        _set_options(self._net.opt, threads, precision)
        if self._net.load_param(str(param)) != 0:
            raise unusable(param, "the graph does not load")
        if self._net.load_model(str(bin)) != 0:
            raise unusable(bin, "the weights do not load")

    def infer(self, blob: npt.NDArray[np.float32]) -> list[npt.NDArray[np.float32]]:
        """See ports.Backend. A blob that is not contiguous is copied first."""
        if self._net is None:
            raise BackendError("infer() on a closed ncnn backend.", hint="Load the model again.")
        check_blob(blob, self._input_shape)
        array = np.ascontiguousarray(blob)  # ncnn.Mat does not look at strides
        mat = self._ncnn.Mat(array)
        if not self._reads_input:
            mat = mat.clone()
        extractor = self._net.create_extractor()
        try:
            if extractor.input(self._input_name, mat) != 0:
                raise _failed(f"input {self._input_name}")
            return [self._extract(extractor, name) for name in self._output_names]
        finally:
            del extractor  # before the net, always

    def close(self) -> None:
        """Free the engine."""
        self._net = None

    def _extract(self, extractor: Any, name: str) -> npt.NDArray[np.float32]:
        code, mat = extractor.extract(name)
        if code != 0:
            raise _failed(f"output {name}")
        # No copy: extract() detaches what it gives from the net's pools, and the array keeps the Mat.
        return np.asarray(mat, dtype=np.float32)


def _failed(what: str) -> BackendError:
    return BackendError(
        f"ncnn failed at {what}.",
        hint="Its own words are on stderr; often the memory is exhausted, or the input size is not the model's.",
    )


def _import_ncnn() -> Any:
    # OpenMP's threads spin while they wait, which costs ten times the work on a busy machine. It reads this once.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    try:
        import ncnn
    except ImportError as problem:
        raise BackendError(f"ncnn cannot be imported: {problem}.", hint="pip install ncnn") from problem
    return ncnn


def _set_options(options: Any, threads: int, precision: Precision) -> None:
    options.num_threads = threads
    options.use_vulkan_compute = False
    if precision is not Precision.AUTO:
        options.use_fp16_packed = options.use_fp16_storage = options.use_fp16_arithmetic = False
        options.use_bf16_storage = precision is Precision.BF16
