"""The engine ONNX Runtime: any processor, and the accelerators for which it has a provider."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from importlib.metadata import distributions
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edged.backends.blobs import check_blob
from edged.backends.names import check_names
from edged.backends.onnx_providers import CPU, candidates, installed
from edged.backends.onnx_session import errors_of, open_session, raised
from edged.backends.packages import python_package
from edged.domain.engines import EngineOptions, ModelFiles, Presence, Present
from edged.errors import BackendError, ModelInvalid, ModelNotFound

log = logging.getLogger(__name__)

INSTALL = (
    "pip install onnxruntime; for the service: sudo EDGED_PACKAGES=onnxruntime ./scripts/install; "
    "onnxruntime-gpu, -openvino or -qnn instead for an accelerator"
)

_DISTRIBUTIONS = ("onnxruntime-gpu", "onnxruntime-openvino", "onnxruntime-qnn", "onnxruntime")

_TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16}


class OnnxRuntimeEngine:
    """Implements ports.Engine."""

    name = "onnxruntime"
    formats = ("onnx",)

    def presence(self) -> Presence:
        """See ports.Engine. Imports nothing: that takes a tenth of a second."""
        found = find_spec("onnxruntime")
        presence = python_package("onnxruntime", install=INSTALL, distribution=_distribution())
        if found is None or found.origin is None or not isinstance(presence, Present):
            return presence
        taken, passed = candidates(installed(Path(found.origin).parent / "capi"))
        return Present(
            f"{presence.detail} on {taken[0].name if taken else CPU}",
            accelerated=any(provider.devices for provider in taken),
            notes=tuple(f"{each.name}: {each.reason}" for each in passed),
        )

    def load(self, files: ModelFiles, options: EngineOptions) -> OnnxRuntimeBackend:
        """See ports.Engine."""
        return OnnxRuntimeBackend(
            files.files["model"],
            input_name=files.input_name,
            output_names=files.output_names,
            input_shape=files.input_shape,
            threads=options.threads,
            cache_dir=options.cache_dir,
        )


class OnnxRuntimeBackend:
    """A model in ONNX Runtime. Used by one thread at a time; several instances may run at once.

    `provider` is the execution provider that took the model, `passed_over` the better ones that did not, and why.
    infer() lets other Python threads run meanwhile.
    """

    def __init__(
        self,
        model: Path,
        *,
        input_name: str,
        output_names: Sequence[str],
        input_shape: tuple[int, int, int],
        threads: int = 1,
        cache_dir: Path | None = None,
    ) -> None:
        """Load the model.

        `input_shape` is (3, height, width). `threads` run one inference; they sleep while they wait, for a daemon
        must not burn idle cores. In `cache_dir` the optimised graph is kept; None keeps none.

        Raises ModelNotFound, ModelInvalid or BackendError.
        """
        runtime = _import()
        self._errors = errors_of(runtime)
        self._output_names = list(output_names)
        self._input_name = input_name
        self._input_shape = input_shape
        if not model.is_file():
            raise ModelNotFound(f"{model} is not there.", hint="Copy the file there, or correct model.toml.")
        opened = open_session(runtime, model, threads=threads, cache_dir=cache_dir)
        self.provider = opened.provider
        self.passed_over = opened.passed_over
        for each in opened.passed_over:
            log.info("ONNX Runtime: %s is passed over: %s", each.name, each.reason)
        self._type = _check(opened.session, model, input_name, output_names, input_shape)
        self._session: Any = opened.session

    def infer(self, blob: npt.NDArray[np.float32]) -> list[npt.NDArray[np.float32]]:
        """See ports.Backend. A blob that is not contiguous is copied first."""
        if self._session is None:
            raise BackendError("infer() on a closed onnxruntime backend.", hint="Load the model again.")
        check_blob(blob, self._input_shape)
        batch = np.ascontiguousarray(blob[None], self._type)
        try:
            outputs = self._session.run(self._output_names, {self._input_name: batch})
        except self._errors as problem:
            raise raised(f"ONNX Runtime failed on {self.provider}", problem) from problem
        return [np.asarray(output[0], np.float32) for output in outputs]

    def close(self) -> None:
        """Free the engine."""
        self._session = None


def _distribution() -> str:
    """Under which of its names ONNX Runtime is installed."""
    return next((name for name in _DISTRIBUTIONS if next(iter(distributions(name=name)), None)), "onnxruntime")


def _import() -> Any:
    # 1.32 notes its use in ~/.cache, to be sent to Microsoft: what a box sees and does is nobody else's business.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    try:
        import onnxruntime
    except ImportError as problem:
        raise BackendError(f"onnxruntime cannot be imported: {problem}.", hint=INSTALL) from problem
    return onnxruntime


def _check(
    session: Any,
    model: Path,
    input_name: str,
    output_names: Sequence[str],
    input_shape: tuple[int, int, int],
) -> npt.DTypeLike:
    """Hold the names and the shape to the graph's; return the type of number that it takes. Raises ModelInvalid."""
    inputs = {each.name: each for each in session.get_inputs()}
    outputs = [each.name for each in session.get_outputs()]
    check_names(model, inputs=list(inputs), outputs=outputs, input_name=input_name, output_names=output_names)
    takes = inputs[input_name]
    wanted = (1, *input_shape)
    fits = len(takes.shape) == 4 and all(
        not isinstance(side, int) or side == want for side, want in zip(takes.shape, wanted, strict=True)
    )
    if not fits or takes.type not in _TYPES:
        raise ModelInvalid(
            f"{model} takes {takes.type} of shape {tuple(takes.shape)}; edged gives float32 or float16 of {wanted}.",
            hint="Correct width_px and height_px in model.toml, or export the model for one picture at a time.",
        )
    return _TYPES[takes.type]
