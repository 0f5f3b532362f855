"""What edged needs of CUDA: memory, one stream, copies to and fro. Two libraries can give it.

pycuda comes first: it is what a Jetson's user usually has. cuda-python (cuda-bindings) is a wheel without a compiler.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from edged.errors import BackendError

MEMORY_HINT = "Close what else uses the GPU (a desktop does, on a Jetson), or take a smaller model or input size."
FAILURE_HINT = "Start edged again; if it comes back, look into dmesg for the GPU's own report."

Pinned = npt.NDArray[Any]
"""An array in page-locked memory, which the GPU can read while the processor does something else."""


class Device(Protocol):
    """The GPU, for one model. It owns what it hands out until close().

    Every call but close() is made inside active(), because CUDA keeps its context per thread, and a model may be loaded
    on one thread and used on another.
    """

    name: str

    @property
    def stream(self) -> int:
        """The handle of the stream in which all work is queued."""
        ...

    def active(self) -> AbstractContextManager[None]:
        """Make the GPU's primary context, which TensorRT uses too, current on this thread."""
        ...

    def pinned(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Pinned:
        """Allocate page-locked memory. Raises GpuMemoryExhausted."""
        ...

    def allocate(self, size_bytes: int) -> int:
        """Allocate memory on the GPU; return its address. Raises GpuMemoryExhausted."""
        ...

    def upload(self, address: int, array: Pinned) -> None:
        """Queue a copy to the GPU."""
        ...

    def download(self, array: Pinned, address: int) -> None:
        """Queue a copy from the GPU."""
        ...

    def synchronize(self) -> None:
        """Wait until the queue is empty. Raises BackendError with what failed in it."""
        ...

    def record(self, work: Callable[[], None]) -> Callable[[], None] | None:
        """Record what `work` queues as a CUDA graph; return what launches it, or None when that cannot be done here."""
        ...

    def close(self) -> None:
        """Free everything. Harmless when closed already."""
        ...


def open_device(import_module: Callable[[str], Any] = importlib.import_module) -> Device:
    """Open the first GPU with the library that is installed. Raises BackendError."""
    from edged.backends.tensorrt.cuda_python import CudaPythonDevice
    from edged.backends.tensorrt.pycuda import PycudaDevice

    missing = []
    for name, kind in (("pycuda.driver", PycudaDevice), ("cuda.bindings.driver", CudaPythonDevice)):
        try:
            module = import_module(name)
        except ImportError as problem:
            missing.append(f"{name}: {problem}")
            continue
        device: Device = kind(module)
        return device
    raise BackendError(
        f"No library for CUDA can be imported ({'; '.join(missing)}).",
        hint="pip install cuda-python (a wheel), or pycuda (needs the CUDA toolkit to build).",
    )
