"""A stand-in for the module pycuda.driver, with the names and answers of the real one, as far as edged uses them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from edged.testing.nvidia.copies import queue_download, queue_upload
from edged.testing.nvidia.gpu import FakeGpu, OutOfMemory


class _PycudaError(Exception):
    """pycuda.driver.Error."""


class _PycudaMemoryError(_PycudaError):
    """pycuda.driver.MemoryError."""


class _PycudaLogicError(_PycudaError):
    """pycuda.driver.LogicError."""


class FakePycuda:
    """The module pycuda.driver."""

    Error = _PycudaError
    MemoryError = _PycudaMemoryError
    LogicError = _PycudaLogicError

    def __init__(self, gpu: FakeGpu) -> None:
        self._gpu = gpu
        self._ready = False
        self.Context = _PycudaContextClass(gpu)

    def init(self) -> None:
        self._ready = True

    def Device(self, number: int) -> _PycudaDevice:
        if not self._ready:
            raise _PycudaLogicError("cuDeviceGet failed: initialization error")
        assert number == 0
        return _PycudaDevice(self._gpu)

    def Stream(self) -> _PycudaStream:
        return _PycudaStream(self._gpu)

    def mem_alloc(self, size: int) -> _PycudaMemory:
        try:
            return _PycudaMemory(self._gpu, self._gpu.allocate(size))
        except OutOfMemory:
            raise _PycudaMemoryError("cuMemAlloc failed: out of memory") from None

    def pagelocked_empty(self, shape: tuple[int, ...], dtype: Any) -> npt.NDArray[Any]:
        kind = np.dtype(dtype)
        return np.asarray(_PycudaPinned(self._gpu, shape, kind))

    def memcpy_htod_async(self, dest: int, src: npt.NDArray[Any], stream: _PycudaStream) -> None:
        queue_upload(self._gpu, stream.handle, int(dest), src.ctypes.data, src.nbytes)

    def memcpy_dtoh_async(self, dest: npt.NDArray[Any], src: int, stream: _PycudaStream) -> None:
        queue_download(self._gpu, stream.handle, dest.ctypes.data, int(src), dest.nbytes)


class _PycudaDevice:
    def __init__(self, gpu: FakeGpu) -> None:
        self._gpu = gpu

    def retain_primary_context(self) -> _PycudaContext:
        self._gpu.retain()
        return _PycudaContext(self._gpu)


class _PycudaContextClass:
    def __init__(self, gpu: FakeGpu) -> None:
        self._gpu = gpu

    def pop(self) -> None:
        self._gpu.pop()


class _PycudaContext:
    def __init__(self, gpu: FakeGpu) -> None:
        self._gpu = gpu

    def push(self) -> None:
        self._gpu.push()


class _PycudaStream:
    def __init__(self, gpu: FakeGpu) -> None:
        self._gpu = gpu
        self.handle = gpu.make_stream()

    def synchronize(self) -> None:
        if self._gpu.broken:
            raise _PycudaError("cuStreamSynchronize failed: an illegal memory access was encountered")
        self._gpu.synchronize(self.handle)

    def __del__(self) -> None:
        self._gpu.drop_stream(self.handle)


class _PycudaMemory:
    def __init__(self, gpu: FakeGpu, address: int) -> None:
        self._gpu = gpu
        self._address = address

    def __int__(self) -> int:
        return self._address

    def free(self) -> None:
        self._gpu.free(self._address)


class _PycudaPinned:
    """What an array of pagelocked_empty() has as its base."""

    def __init__(self, gpu: FakeGpu, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self._gpu = gpu
        self._address, self._memory = gpu.pin(int(np.prod(shape)) * dtype.itemsize)
        self.__array_interface__ = {"shape": shape, "typestr": dtype.str, "data": (self._address, False), "version": 3}

    def free(self) -> None:
        self._gpu.unpin(self._address)
