"""The engine LiteRT (once TensorFlow Lite): float and int8 models on the processor, and Coral's Edge TPU."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edged.backends.blobs import check_blob
from edged.backends.litert_tensors import InputTensor, OutputTensor
from edged.backends.names import check_names
from edged.backends.packages import python_package
from edged.domain.engines import Absent, EngineOptions, ModelFiles, Presence, Present
from edged.errors import BackendError, ModelError, ModelInvalid, ModelNotFound

INSTALL = "pip install ai-edge-litert; for the service: sudo EDGED_PACKAGES=ai-edge-litert ./scripts/install"
EDGE_TPU_LIBRARY = "libedgetpu.so.1"

_MODULES = {"ai_edge_litert": "ai-edge-litert", "tflite_runtime": "tflite-runtime"}
"""The packages that hold the interpreter, the better one first: module and the name that pip knows."""


class LiteRtEngine:
    """Implements ports.Engine on the processor, by XNNPACK."""

    name = "litert"
    formats = ("litert",)

    def presence(self) -> Presence:
        """See ports.Engine."""
        for module, distribution in _MODULES.items():
            presence = python_package(module, install=INSTALL, distribution=distribution)
            if isinstance(presence, Present):
                return presence
        return Absent("neither ai-edge-litert nor tflite-runtime is installed", INSTALL)

    def load(self, files: ModelFiles, options: EngineOptions) -> LiteRtBackend:
        """See ports.Engine."""
        return _load(files, options, edge_tpu=False)


class EdgeTpuEngine:
    """Implements ports.Engine on a Coral accelerator: models that edgetpu_compiler made."""

    name = "edgetpu"
    formats = ("edgetpu",)

    def presence(self) -> Presence:
        """See ports.Engine."""
        interpreter = LiteRtEngine().presence()
        if isinstance(interpreter, Absent):
            return interpreter
        missing = _edge_tpu_missing()
        if missing is not None:
            return missing
        return Present(f"{interpreter.detail} with {EDGE_TPU_LIBRARY}", accelerated=True)

    def load(self, files: ModelFiles, options: EngineOptions) -> LiteRtBackend:
        """See ports.Engine."""
        return _load(files, options, edge_tpu=True)


def _edge_tpu_missing() -> Absent | None:
    try:
        ctypes.CDLL(EDGE_TPU_LIBRARY)
    except OSError:
        return Absent(f"{EDGE_TPU_LIBRARY} does not load", "Install Coral's package libedgetpu1-std.")
    return None


def _load(files: ModelFiles, options: EngineOptions, *, edge_tpu: bool) -> LiteRtBackend:
    return LiteRtBackend(
        files.files["model"],
        input_name=files.input_name,
        output_names=files.output_names,
        input_shape=files.input_shape,
        threads=options.threads,
        edge_tpu=edge_tpu,
    )


class LiteRtBackend:
    """A model in LiteRT. Used by one thread at a time; several instances may run at once.

    Takes models with one picture as input, channels first or last, in float32, int8 or uint8: the blob is turned and
    quantised as the model wants it, and its outputs are made float32 again. infer() lets other Python threads run
    meanwhile.
    """

    def __init__(
        self,
        model: Path,
        *,
        input_name: str,
        output_names: Sequence[str],
        input_shape: tuple[int, int, int],
        threads: int = 1,
        edge_tpu: bool = False,
    ) -> None:
        """Load the model. `input_shape` is (3, height, width). Raises ModelNotFound, ModelInvalid or BackendError."""
        if not model.is_file():
            raise ModelNotFound(f"{model} is not there.", hint="Copy the file there, or correct model.toml.")
        missing = _edge_tpu_missing() if edge_tpu else None
        if missing is not None:
            raise BackendError(f"LiteRT cannot use an Edge TPU: {missing.reason}.", hint=missing.hint)
        module = _import()
        self._interpreter: Any = None
        self._input_shape = input_shape
        try:
            delegates = [module.load_delegate(EDGE_TPU_LIBRARY)] if edge_tpu else []
            interpreter = module.Interpreter(
                model_path=str(model), num_threads=threads, experimental_delegates=delegates
            )
            interpreter.allocate_tensors()
        except (ValueError, RuntimeError, OSError) as problem:
            raise _refused(model, problem) from problem
        inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
        check_names(
            model,
            inputs=[each["name"] for each in inputs],
            outputs=[each["name"] for each in outputs],
            input_name=input_name,
            output_names=output_names,
        )
        self._input = _input(inputs[0], model, input_shape)
        by_name = {each["name"]: OutputTensor.of(each) for each in outputs}
        self._outputs = [by_name[name] for name in output_names]
        self._interpreter = interpreter

    def infer(self, blob: npt.NDArray[np.float32]) -> list[npt.NDArray[np.float32]]:
        """See ports.Backend."""
        if self._interpreter is None:
            raise BackendError("infer() on a closed litert backend.", hint="Load the model again.")
        check_blob(blob, self._input_shape)
        try:
            self._input.write(self._interpreter, blob)
            self._interpreter.invoke()
            return [output.read(self._interpreter) for output in self._outputs]
        except (ValueError, RuntimeError) as problem:
            raise BackendError(f"LiteRT failed: {problem}.", hint=_hint(problem)) from problem

    def close(self) -> None:
        """Free the engine."""
        self._interpreter = None


def _import() -> Any:
    problems = []
    for module in _MODULES:
        try:
            return import_module(f"{module}.interpreter")
        except (ImportError, AttributeError) as problem:  # not installed, built for another numpy, a library is missing
            problems.append(str(problem))
    raise BackendError(f"LiteRT cannot be imported: {'; '.join(problems)}.", hint=INSTALL)


def _input(details: Any, model: Path, shape: tuple[int, int, int]) -> InputTensor:
    tensor = InputTensor.of(details, shape)
    if tensor is None:
        found = f"{details['dtype'].__name__} of shape {tuple(details['shape'].tolist())}"
        raise ModelInvalid(
            f"{model} takes {found}; edged gives float32, int8 or uint8 of (1, {shape[0]}, {shape[1]}, {shape[2]}) or "
            f"(1, {shape[1]}, {shape[2]}, {shape[0]}).",
            hint="Correct width_px and height_px in model.toml, or export the model for one picture at a time.",
        )
    return tensor


def _refused(model: Path, problem: Exception) -> ModelError:
    message = f"LiteRT refused {model}: {str(problem).strip().removesuffix('.')}."
    if any(word in str(problem) for word in ("Flatbuffer", "identifier")):
        return ModelInvalid(message, hint="The file is damaged or no LiteRT model: copy it again, or export it anew.")
    return BackendError(message, hint=_hint(problem))


def _hint(problem: Exception) -> str:
    text = str(problem).lower()
    if "edgetpu" in text:
        return "The model was compiled for an Edge TPU: name it in a table [edgetpu], and plug the accelerator in."
    if "memory" in text or "alloc" in text:
        return "The memory is exhausted: choose a smaller model or input size."
    return "Its own words are on stderr. An unknown operator needs a newer ai-edge-litert; else export the model anew."
