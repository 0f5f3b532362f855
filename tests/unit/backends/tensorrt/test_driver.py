"""What the driver is asked before anything of NVIDIA's is loaded."""

from __future__ import annotations

import ctypes.util

import pytest

from edged.backends.tensorrt.driver import Gpu, find_gpu
from edged.errors import BackendError
from edged.testing.nvidia.gpu import FakeGpu
from edged.testing.nvidia.libcuda import FakeLibcuda


def test_the_gpu_is_named() -> None:
    gpu = FakeGpu(name="NVIDIA Thor", compute_capability=(11, 0))
    assert find_gpu(lambda: FakeLibcuda(gpu)) == Gpu("NVIDIA Thor", "11.0")


def test_a_driver_that_does_not_start_is_named_with_its_code() -> None:
    with pytest.raises(BackendError, match="cuInit gives 999"):
        find_gpu(lambda: FakeLibcuda(FakeGpu(), init_code=999))


def test_a_driver_without_a_gpu_is_told_from_none() -> None:
    with pytest.raises(BackendError, match="finds no GPU"):
        find_gpu(lambda: FakeLibcuda(FakeGpu(), devices=0))


@pytest.mark.skipif(ctypes.util.find_library("cuda") is not None, reason="this machine has an NVIDIA driver")
def test_a_machine_without_a_driver_says_so_and_what_to_do() -> None:
    with pytest.raises(BackendError, match=r"no NVIDIA driver[^$]*JetPack"):
        find_gpu()
