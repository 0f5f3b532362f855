"""TensorRT among the engines that a model can be loaded into."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from edged.backends.packages import python_package
from edged.backends.tensorrt.driver import Gpu
from edged.backends.tensorrt.libraries import IMPORT_HINT, NVIDIA, Libraries
from edged.domain.engines import Absent, EngineOptions, ModelFiles, Presence, Present
from edged.errors import BackendError

if TYPE_CHECKING:
    from edged.backends.tensorrt.backend import TensorRtBackend
    from edged.backends.tensorrt.plan import Precision

Package = Callable[..., Presence]


class TensorRtEngine:
    """Implements ports.Engine."""

    name = "tensorrt"
    formats = ("tensorrt", "onnx")

    def __init__(self, *, libraries: Libraries = NVIDIA, package: Package = python_package) -> None:
        """`package` looks whether a Python package is installed; a test puts its own here."""
        self._libraries = libraries
        self._package = package

    def presence(self) -> Presence:
        """See ports.Engine. The driver is asked first: without one, TensorRT can crash the process."""
        try:
            gpu = self._libraries.find_gpu()
        except BackendError as problem:
            return Absent(problem.message.removesuffix("."), problem.hint)
        tensorrt = self._package("tensorrt", install=IMPORT_HINT)
        if isinstance(tensorrt, Absent):
            return tensorrt
        pycuda = self._package("pycuda", install="")
        cuda = self._package("cuda", install="pip install cuda-python", distribution="cuda-bindings")
        if isinstance(pycuda, Absent) and isinstance(cuda, Absent):
            return Absent("neither pycuda nor cuda-python is installed", cuda.hint)
        return Present(_describe(tensorrt, gpu), accelerated=True)

    def load(self, files: ModelFiles, options: EngineOptions) -> TensorRtBackend:
        """See ports.Engine."""
        # Imported here: every start lists the engines, and few use this one.
        from edged.backends.tensorrt.backend import TensorRtBackend
        from edged.backends.tensorrt.loader import Files
        from edged.backends.tensorrt.plan import Wishes

        there = files.files
        wanted = Files(
            onnx=there.get("model" if files.format == "onnx" else "onnx"),
            engine=there.get("engine"),
            calibration=there.get("calibration"),
        )
        return TensorRtBackend(
            wanted,
            input_name=files.input_name,
            output_names=files.output_names,
            input_shape=files.input_shape,
            cache_folder=None if options.cache_dir is None else options.cache_dir / "tensorrt",
            wishes=Wishes(
                precision=_precision(options.precision),
                dla_core=options.dla_core,
                calibrated=wanted.calibration is not None,
            ),
            on_progress=lambda progress: options.progress(f"building {files.model} for TensorRT: {progress}"),
            libraries=self._libraries,
        )


def _describe(tensorrt: Present, gpu: Gpu) -> str:
    return f"{tensorrt.detail} on {gpu.name} (compute capability {gpu.compute_capability})"


def _precision(name: str) -> Precision:
    from edged.backends.tensorrt.plan import Precision

    try:
        return Precision(name)
    except ValueError as problem:
        known = ", ".join(precision.value for precision in Precision)
        raise BackendError(f"TensorRT knows no precision {name!r}.", hint=f"It knows: {known}.") from problem
