"""A stand-in for the module cuda.bindings.driver, with the names and answers that edged uses."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from edged.testing.nvidia.copies import queue_download, queue_upload
from edged.testing.nvidia.gpu import FakeGpu, OutOfMemory, Work


class _CUresult(IntEnum):
    CUDA_SUCCESS = 0
    CUDA_ERROR_INVALID_VALUE = 1
    CUDA_ERROR_OUT_OF_MEMORY = 2
    CUDA_ERROR_ILLEGAL_ADDRESS = 700
    CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED = 900


class _CaptureMode(IntEnum):
    CU_STREAM_CAPTURE_MODE_GLOBAL = 0
    CU_STREAM_CAPTURE_MODE_THREAD_LOCAL = 1
    CU_STREAM_CAPTURE_MODE_RELAXED = 2


Answer = tuple[Any, ...]


class FakeCudaPython:
    """The module cuda.bindings.driver. Lever: `records` says whether streams can be captured."""

    CUresult = _CUresult
    CUstreamCaptureMode = _CaptureMode

    def __init__(self, gpu: FakeGpu, *, records: bool = True) -> None:
        self._gpu = gpu
        self._records = records
        self._graphs: dict[int, list[Work]] = {}
        self._executables: dict[int, list[Work]] = {}

    def cuInit(self, flags: int) -> Answer:
        assert flags == 0
        return (_CUresult.CUDA_SUCCESS,)

    def cuDeviceGet(self, ordinal: int) -> Answer:
        return _CUresult.CUDA_SUCCESS, ordinal

    def cuDevicePrimaryCtxRetain(self, dev: int) -> Answer:
        self._gpu.retain()
        return _CUresult.CUDA_SUCCESS, 1

    def cuDevicePrimaryCtxRelease(self, dev: int) -> Answer:
        self._gpu.release()
        return (_CUresult.CUDA_SUCCESS,)

    def cuCtxPushCurrent(self, ctx: int) -> Answer:
        self._gpu.push()
        return (_CUresult.CUDA_SUCCESS,)

    def cuCtxPopCurrent(self) -> Answer:
        self._gpu.pop()
        return _CUresult.CUDA_SUCCESS, 1

    def cuMemAlloc(self, bytesize: int) -> Answer:
        try:
            return _CUresult.CUDA_SUCCESS, self._gpu.allocate(bytesize)
        except OutOfMemory:
            return _CUresult.CUDA_ERROR_OUT_OF_MEMORY, 0

    def cuMemFree(self, dptr: int) -> Answer:
        if self._gpu.broken:
            return (_CUresult.CUDA_ERROR_ILLEGAL_ADDRESS,)
        self._gpu.free(dptr)
        return (_CUresult.CUDA_SUCCESS,)

    def cuMemHostAlloc(self, bytesize: int, Flags: int) -> Answer:
        return _CUresult.CUDA_SUCCESS, self._gpu.pin(bytesize)[0]

    def cuMemFreeHost(self, p: int) -> Answer:
        if self._gpu.broken:
            return (_CUresult.CUDA_ERROR_ILLEGAL_ADDRESS,)
        self._gpu.unpin(p)
        return (_CUresult.CUDA_SUCCESS,)

    def cuStreamCreate(self, Flags: int) -> Answer:
        if self._gpu.memory_bytes == 0:
            return _CUresult.CUDA_ERROR_OUT_OF_MEMORY, None
        return _CUresult.CUDA_SUCCESS, self._gpu.make_stream()

    def cuStreamDestroy(self, hStream: int) -> Answer:
        if self._gpu.broken:
            return (_CUresult.CUDA_ERROR_ILLEGAL_ADDRESS,)
        self._gpu.destroy_stream(hStream)
        return (_CUresult.CUDA_SUCCESS,)

    def cuStreamSynchronize(self, hStream: int) -> Answer:
        if self._gpu.broken:
            return (_CUresult.CUDA_ERROR_ILLEGAL_ADDRESS,)
        self._gpu.synchronize(hStream)
        return (_CUresult.CUDA_SUCCESS,)

    def cuMemcpyHtoDAsync(
        self,
        dstDevice: int,
        srcHost: int,
        ByteCount: int,
        hStream: int,
    ) -> Answer:
        queue_upload(self._gpu, hStream, dstDevice, srcHost, ByteCount)
        return (_CUresult.CUDA_SUCCESS,)

    def cuMemcpyDtoHAsync(
        self,
        dstHost: int,
        srcDevice: int,
        ByteCount: int,
        hStream: int,
    ) -> Answer:
        queue_download(self._gpu, hStream, dstHost, srcDevice, ByteCount)
        return (_CUresult.CUDA_SUCCESS,)

    def cuStreamBeginCapture(self, hStream: int, mode: _CaptureMode) -> Answer:
        if not self._records:
            return (_CUresult.CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED,)
        self._gpu.begin_recording(hStream)
        return (_CUresult.CUDA_SUCCESS,)

    def cuStreamEndCapture(self, hStream: int) -> Answer:
        return _CUresult.CUDA_SUCCESS, _store(self._graphs, self._gpu.end_recording(hStream))

    def cuGraphInstantiate(self, hGraph: int, flags: int) -> Answer:
        return _CUresult.CUDA_SUCCESS, _store(self._executables, self._graphs[hGraph])

    def cuGraphDestroy(self, hGraph: int) -> Answer:
        del self._graphs[hGraph]
        return (_CUresult.CUDA_SUCCESS,)

    def cuGraphLaunch(self, hGraphExec: int, hStream: int) -> Answer:
        for work in self._executables[hGraphExec]:
            self._gpu.enqueue(hStream, "graph", work)
        return (_CUresult.CUDA_SUCCESS,)

    def cuGraphExecDestroy(self, hGraphExec: int) -> Answer:
        del self._executables[hGraphExec]
        return (_CUresult.CUDA_SUCCESS,)

    def cuGetErrorString(self, error: _CUresult) -> Answer:
        return _CUresult.CUDA_SUCCESS, error.name.encode()


def _store(shelf: dict[int, list[Work]], works: list[Work]) -> int:
    number = max(shelf, default=0) + 1
    shelf[number] = works
    return number
