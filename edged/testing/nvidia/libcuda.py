"""A stand-in for libcuda.so.1 as ctypes shows it."""

from __future__ import annotations

import ctypes
from typing import Any

from edged.testing.nvidia.gpu import CudaMisuse, FakeGpu


class FakeLibcuda:
    """libcuda.so.1. Levers: `init_code` is what cuInit answers, `devices` how many GPUs there are."""

    def __init__(self, gpu: FakeGpu, *, init_code: int = 0, devices: int = 1) -> None:
        self._gpu = gpu
        self._init_code = init_code
        self._devices = devices
        self._ready = False

    def cuInit(self, flags: int) -> int:
        assert flags == 0
        self._ready = self._init_code == 0
        return self._init_code

    def cuDeviceGetCount(self, count: Any) -> int:
        self._demand_init()
        count._obj.value = self._devices
        return 0

    def cuDeviceGet(self, device: Any, ordinal: int) -> int:
        self._demand_init()
        device._obj.value = ordinal
        return 0 if ordinal < self._devices else 101

    def cuDeviceGetName(self, name: Any, size: int, device: ctypes.c_int) -> int:
        self._demand_init()
        name.value = self._gpu.name.encode()[: size - 1]
        return 0

    def cuDeviceGetAttribute(self, value: Any, number: int, device: ctypes.c_int) -> int:
        self._demand_init()
        value._obj.value = self._gpu.compute_capability[{75: 0, 76: 1}[number]]
        return 0

    def _demand_init(self) -> None:
        if not self._ready:
            raise CudaMisuse("libcuda was asked something before cuInit succeeded")
