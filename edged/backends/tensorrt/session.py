"""Runs an engine: its buffers, and the few calls that a frame takes, which allocate nothing but the answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edged.backends.tensorrt.device import FAILURE_HINT, MEMORY_HINT, Device, Pinned
from edged.backends.tensorrt.messages import messages_of
from edged.errors import BackendError, GpuMemoryExhausted

_DTYPES: dict[str, np.dtype[Any]] = {
    "FLOAT": np.dtype(np.float32),
    "HALF": np.dtype(np.float16),
    "INT8": np.dtype(np.int8),
    "INT32": np.dtype(np.int32),
    "INT64": np.dtype(np.int64),
    "UINT8": np.dtype(np.uint8),
    "BOOL": np.dtype(np.bool_),
}
"""By the names of TensorRT's DataType. Its own nptype() fails in 8.5 where numpy is 1.24 or newer."""


class EngineRefused(Exception):
    """TensorRT does not take these bytes for an engine of its own: its words."""


@dataclass(frozen=True, slots=True)
class _Tensor:
    name: str
    host: Pinned
    address: int  # on the GPU


class Session:
    """An engine on the GPU. Every call is made inside device.active()."""

    def __init__(
        self,
        trt: Any,
        device: Device,
        engine: bytes,
        *,
        input_name: str,
        output_names: Sequence[str],
        input_shape: tuple[int, int, int],
        dla_core: int | None = None,
    ) -> None:
        """Load an engine and get its buffers. Raises EngineRefused, BackendError and GpuMemoryExhausted."""
        self._device = device
        self._messages = messages_of(trt)
        self._messages.clear()
        trt.init_libnvinfer_plugins(self._messages.logger, "")  # an engine may hold layers of theirs
        self._runtime: Any = trt.Runtime(self._messages.logger)
        self._engine: Any = None
        self._context: Any = None
        self._graph: Callable[[], None] | None = None
        self._has_run = False  # the first run settles what TensorRT does once, which must not be recorded
        self._recording_tried = False
        try:
            self._load(trt, engine, dla_core)
            self._connect(trt, input_name, tuple(output_names), (1, *input_shape))
        except BaseException:
            self.close()  # before the caller frees what TensorRT's objects lie on
            raise

    def run(self, blob: npt.NDArray[np.float32]) -> list[npt.NDArray[np.float32]]:
        """Run one blob (3, H, W). Raises BackendError."""
        np.copyto(self._input.host[0], blob, casting="same_kind")
        if self._has_run and not self._recording_tried:
            self._recording_tried = True
            self._graph = self._device.record(self._enqueue)
        (self._graph or self._enqueue)()
        self._device.synchronize()
        self._has_run = True
        return [np.array(answer, dtype=np.float32, order="C") for answer in self._answers]

    def close(self) -> None:
        """Let go of everything of TensorRT's, in the order that it asks for; the buffers are the device's."""
        self._graph = None
        self._context = None
        self._engine = None
        self._runtime = None

    def _load(self, trt: Any, engine: bytes, dla_core: int | None) -> None:
        if dla_core is not None:
            self._runtime.DLA_core = dla_core
        self._engine = self._runtime.deserialize_cuda_engine(engine)
        if self._engine is None:
            raise self._refused()
        self._context = self._engine.create_execution_context()
        if self._context is None:
            raise self._exhausted("run")

    def _connect(
        self, trt: Any, input_name: str, output_names: tuple[str, ...], shape: tuple[int, int, int, int]
    ) -> None:
        """Give every tensor of the engine its buffers."""
        names = self._names(trt)
        _check_names(names, input_name, output_names)
        self._fix_input(input_name, shape)
        tensors = {name: self._buffer(name) for name in names}
        self._input = tensors[input_name]
        if self._input.host.dtype.kind != "f":
            raise BackendError(
                f"The engine takes {self._input.host.dtype} numbers; edged gives it float32.",
                hint="Export the model with a float32 or float16 input.",
            )
        self._outputs = [tensors[name] for name in names if name != input_name]
        self._answers = [_without_batch(tensors[name].host) for name in output_names]

    def _enqueue(self) -> None:
        self._device.upload(self._input.address, self._input.host)
        if not self._context.execute_async_v3(self._device.stream):
            raise BackendError(
                f"TensorRT failed to run the model: {self._messages.reason()}.",
                hint=FAILURE_HINT,
            )
        for tensor in self._outputs:
            self._device.download(tensor.host, tensor.address)

    def _refused(self) -> Exception:
        if self._messages.is_about_memory():
            return self._exhausted("load")
        return EngineRefused(self._messages.reason())

    def _exhausted(self, verb: str) -> GpuMemoryExhausted:
        return GpuMemoryExhausted(
            f"The GPU has no memory left to {verb} the model: {self._messages.reason()}.", hint=MEMORY_HINT
        )

    def _names(self, trt: Any) -> dict[str, bool]:
        """Name all tensors that go in or out, and say of each whether it goes in."""
        names = [self._engine.get_tensor_name(number) for number in range(self._engine.num_io_tensors)]
        return {name: self._engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT for name in names}

    def _fix_input(self, name: str, wanted: tuple[int, ...]) -> None:
        shape = tuple(self._engine.get_tensor_shape(name))
        fits = len(shape) == len(wanted) and all(side in (-1, want) for side, want in zip(shape, wanted, strict=True))
        if not fits or not (-1 not in shape or self._context.set_input_shape(name, wanted)):
            raise BackendError(
                f"The engine takes {' x '.join(map(str, shape))}; model.toml asks for {' x '.join(map(str, wanted))}.",
                hint="Write the size of the engine into width_px and height_px of model.toml, or build it anew.",
            )

    def _buffer(self, name: str) -> _Tensor:
        shape, kind = tuple(self._context.get_tensor_shape(name)), self._engine.get_tensor_dtype(name).name
        if -1 in shape or kind not in _DTYPES:
            raise BackendError(
                f"The model's tensor {name} has the shape {shape} of {kind}, which edged cannot read: "
                "its size must be fixed and its numbers plain.",
                hint="Export the model without non-maximum suppression inside, at a fixed size, in float32 or float16.",
            )
        host = self._device.pinned(shape, _DTYPES[kind])
        address = self._device.allocate(max(1, host.nbytes))
        self._context.set_tensor_address(name, address)
        return _Tensor(name, host, address)


def _without_batch(array: Pinned) -> Pinned:
    return array[0] if array.ndim > 1 and array.shape[0] == 1 else array


def _check_names(names: dict[str, bool], input_name: str, output_names: Sequence[str]) -> None:
    inputs = [name for name, goes_in in names.items() if goes_in]
    outputs = [name for name, goes_in in names.items() if not goes_in]
    if inputs != [input_name] or not set(output_names) <= set(outputs):
        raise BackendError(
            f"The engine takes {', '.join(inputs)} and gives {', '.join(outputs)}; "
            f"model.toml says {input_name} and {', '.join(output_names)}.",
            hint="Correct input and outputs in model.toml.",
        )
