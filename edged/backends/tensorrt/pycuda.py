"""CUDA by way of pycuda.

Its Context.detach() releases a primary context only on the thread that made it, and leaves it on that thread's stack,
where pycuda no longer knows of it (context::detach in its cuda.hpp). So a process makes one and keeps it, as TensorRT
does by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager, suppress
from threading import Lock
from typing import Any, cast
from weakref import WeakKeyDictionary

import numpy as np

from edged.backends.tensorrt.device import FAILURE_HINT, MEMORY_HINT, Pinned
from edged.errors import BackendError, GpuMemoryExhausted

_contexts: MutableMapping[Any, Any] = WeakKeyDictionary()
"""The primary context, by the module that gave it."""

_making = Lock()


class PycudaDevice:
    """See device.Device."""

    name = "pycuda"

    def __init__(self, driver: Any) -> None:
        """Use the module pycuda.driver. Raises BackendError."""
        self._driver = driver
        self._pinned: list[Pinned] = []
        self._memory: list[Any] = []
        with _making:
            if driver not in _contexts:
                self._call(driver.init)
                _contexts[driver] = self._call(self._call(driver.Device, 0).retain_primary_context)
        self._context: Any = _contexts[driver]
        with self.active():
            self._stream: Any = self._call(driver.Stream)

    @property
    def stream(self) -> int:
        """See device.Device."""
        return int(self._stream.handle)

    @contextmanager
    def active(self) -> Iterator[None]:
        """See device.Device."""
        self._call(self._context.push)
        try:
            yield
        finally:
            # It "may also return error codes from previous, asynchronous launches" (cuCtxPopCurrent): synchronize() has
            # told of those, in BackendError, in whose place pycuda's own would end the daemon as a bug.
            with suppress(self._driver.Error):
                self._driver.Context.pop()

    def pinned(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Pinned:
        """See device.Device."""
        array: Pinned = self._call(self._driver.pagelocked_empty, shape, dtype)
        self._pinned.append(array)
        return array

    def allocate(self, size_bytes: int) -> int:
        """See device.Device."""
        memory = self._call(self._driver.mem_alloc, size_bytes)
        self._memory.append(memory)
        return int(memory)

    def upload(self, address: int, array: Pinned) -> None:
        """See device.Device."""
        self._call(self._driver.memcpy_htod_async, address, array, self._stream)

    def download(self, array: Pinned, address: int) -> None:
        """See device.Device."""
        self._call(self._driver.memcpy_dtoh_async, array, address, self._stream)

    def synchronize(self) -> None:
        """See device.Device."""
        self._call(self._stream.synchronize)

    def record(self, work: Callable[[], None]) -> None:
        """Do nothing: pycuda knows no graphs."""

    def close(self) -> None:
        """See device.Device."""
        if self._context is None:
            return
        with self.active():
            for memory in self._memory:
                memory.free()
            for array in self._pinned:
                cast(Any, array.base).free()
            self._memory, self._pinned, self._stream = [], [], None
        self._context = None

    def _call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return function(*arguments)
        except self._driver.MemoryError as problem:
            raise GpuMemoryExhausted(f"The GPU has no memory left: {problem}.", hint=MEMORY_HINT) from problem
        except self._driver.Error as problem:
            raise BackendError(f"CUDA failed: {problem}.", hint=FAILURE_HINT) from problem
