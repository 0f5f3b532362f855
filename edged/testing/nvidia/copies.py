"""Copies between the GPU and page-locked memory, queued in a stream; both libraries for CUDA do them."""

from __future__ import annotations

import numpy as np

from edged.testing.nvidia.gpu import FakeGpu


def queue_upload(gpu: FakeGpu, stream: int, address: int, host: int, size: int) -> None:
    def copy() -> None:  # looks the buffers up when it is done: they must still be there
        np.copyto(gpu.memory_at(address, size), gpu.pinned_at(host, size))

    gpu.memory_at(address, size)
    gpu.pinned_at(host, size)
    gpu.enqueue(stream, "upload", copy)


def queue_download(gpu: FakeGpu, stream: int, host: int, address: int, size: int) -> None:
    def copy() -> None:
        np.copyto(gpu.pinned_at(host, size), gpu.memory_at(address, size))

    gpu.memory_at(address, size)
    gpu.pinned_at(host, size)
    gpu.enqueue(stream, "download", copy)
