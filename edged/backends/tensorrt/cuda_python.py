"""CUDA by way of cuda-python (the package cuda-bindings), for machines without pycuda."""

from __future__ import annotations

import ctypes
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from edged.backends.tensorrt.device import FAILURE_HINT, MEMORY_HINT, Pinned
from edged.errors import BackendError, GpuMemoryExhausted

_NON_BLOCKING = 1  # CU_STREAM_NON_BLOCKING: what others queue in the default stream holds nothing up

log = logging.getLogger(__name__)


class CudaPythonDevice:
    """See device.Device."""

    name = "cuda-python"

    def __init__(self, driver: Any) -> None:
        """Use the module cuda.bindings.driver. Raises BackendError."""
        self._driver = driver
        self._pinned: list[int] = []
        self._memory: list[Any] = []
        self._graphs: list[Any] = []
        self._call(driver.cuInit, 0)
        self._device = self._call(driver.cuDeviceGet, 0)
        self._context: Any = self._call(driver.cuDevicePrimaryCtxRetain, self._device)
        try:
            with self.active():
                self._stream: Any = self._call(driver.cuStreamCreate, _NON_BLOCKING)
        except BackendError:
            driver.cuDevicePrimaryCtxRelease(self._device)  # or the next engine would lack the memory of a context
            raise

    @property
    def stream(self) -> int:
        """See device.Device."""
        return int(self._stream)

    @contextmanager
    def active(self) -> Iterator[None]:
        """See device.Device."""
        self._call(self._driver.cuCtxPushCurrent, self._context)
        try:
            yield
        finally:
            self._driver.cuCtxPopCurrent()

    def pinned(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Pinned:
        """See device.Device."""
        size_bytes = max(1, int(np.prod(shape)) * dtype.itemsize)
        address = int(self._call(self._driver.cuMemHostAlloc, size_bytes, 0))
        self._pinned.append(address)
        memory = memoryview((ctypes.c_byte * size_bytes).from_address(address)).cast("B")
        array: Pinned = np.frombuffer(memory, dtype, count=int(np.prod(shape))).reshape(shape)
        return array

    def allocate(self, size_bytes: int) -> int:
        """See device.Device."""
        memory = self._call(self._driver.cuMemAlloc, size_bytes)
        self._memory.append(memory)
        return int(memory)

    def upload(self, address: int, array: Pinned) -> None:
        """See device.Device."""
        self._call(self._driver.cuMemcpyHtoDAsync, address, array.ctypes.data, array.nbytes, self._stream)

    def download(self, array: Pinned, address: int) -> None:
        """See device.Device."""
        self._call(self._driver.cuMemcpyDtoHAsync, array.ctypes.data, address, array.nbytes, self._stream)

    def synchronize(self) -> None:
        """See device.Device."""
        self._call(self._driver.cuStreamSynchronize, self._stream)

    def record(self, work: Callable[[], None]) -> Callable[[], None] | None:
        """See device.Device. A small model is hundreds of short kernels, and a graph launches them all at once."""
        driver = self._driver
        try:
            graph = self._capture(work)
            executable = self._call(driver.cuGraphInstantiate, graph, 0)
        except BackendError as problem:  # a layer that waits, or work on the DLA, cannot be recorded
            log.info("No CUDA graph for this model: %s", problem.message)
            return None
        self._call(driver.cuGraphDestroy, graph)
        self._graphs.append(executable)
        return lambda: self._call(driver.cuGraphLaunch, executable, self._stream)

    def close(self) -> None:
        """See device.Device. After a fault of the GPU nothing can be freed any more: it goes with the process."""
        if self._context is None:
            return
        driver = self._driver
        held = [
            *((driver.cuGraphExecDestroy, graph) for graph in self._graphs),
            *((driver.cuMemFree, memory) for memory in self._memory),
            *((driver.cuMemFreeHost, address) for address in self._pinned),
            (driver.cuStreamDestroy, self._stream),
        ]
        with self.active():
            codes = [function(each)[0] for function, each in held]
        codes += driver.cuDevicePrimaryCtxRelease(self._device)
        self._graphs, self._memory, self._pinned, self._context = [], [], [], None
        refused = sorted({code.name for code in codes if int(code) != 0})
        if refused:
            log.warning("CUDA does not free what a model held: %s", ", ".join(refused))

    def _capture(self, work: Callable[[], None]) -> Any:
        driver = self._driver
        mode = driver.CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL
        self._call(driver.cuStreamBeginCapture, self._stream, mode)
        try:
            work()
        except BackendError:
            driver.cuStreamEndCapture(self._stream)  # leaves the stream usable; its own error is the same again
            raise
        return self._call(driver.cuStreamEndCapture, self._stream)

    def _call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call; return what it gives beside the error code."""
        code, *values = function(*arguments)
        if int(code) != 0:
            self._fail(code)
        return values[0] if values else None

    def _fail(self, code: Any) -> None:
        if code == self._driver.CUresult.CUDA_ERROR_OUT_OF_MEMORY:
            raise GpuMemoryExhausted("The GPU has no memory left.", hint=MEMORY_HINT)
        _, text = self._driver.cuGetErrorString(code)
        words = text.decode() if isinstance(text, bytes) else f"error {int(code)}"
        raise BackendError(f"CUDA failed: {words}.", hint=FAILURE_HINT)
