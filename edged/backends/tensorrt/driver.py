"""Asks NVIDIA's driver what is there, before any of its libraries is loaded.

TensorRT's Runtime crashes the process where there is no driver; libcuda itself answers.

Source: the CUDA driver API (cuInit, cuDeviceGetCount, cuDeviceGetName, cuDeviceGetAttribute).
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from edged.errors import BackendError

HINT = (
    "On a Jetson, JetPack brings the driver; on a PC, install NVIDIA's; in a container, start it with the NVIDIA "
    "runtime. Or set model.backend to another engine."
)

_CAPABILITY_MAJOR, _CAPABILITY_MINOR = 75, 76  # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_*


@dataclass(frozen=True, slots=True)
class Gpu:
    """The first GPU of this machine."""

    name: str  # Orin
    compute_capability: str  # 8.7


def load_libcuda() -> Any:
    """Load the driver's library. Raises BackendError."""
    try:
        return ctypes.CDLL("libcuda.so.1")
    except OSError as problem:
        raise BackendError("There is no NVIDIA driver: libcuda.so.1 does not load.", hint=HINT) from problem


def find_gpu(load: Callable[[], Any] = load_libcuda) -> Gpu:
    """Ask the driver for the first GPU. Raises BackendError."""
    cuda = load()
    code = cuda.cuInit(0)
    if code != 0:
        raise BackendError(f"The NVIDIA driver does not start (cuInit gives {code}).", hint=HINT)
    count = ctypes.c_int()
    _check(cuda.cuDeviceGetCount(ctypes.byref(count)), "cuDeviceGetCount")
    if count.value == 0:
        raise BackendError("The NVIDIA driver finds no GPU.", hint=HINT)
    device = ctypes.c_int()
    _check(cuda.cuDeviceGet(ctypes.byref(device), 0), "cuDeviceGet")
    name = ctypes.create_string_buffer(256)
    _check(cuda.cuDeviceGetName(name, 256, device), "cuDeviceGetName")
    major, minor = (_attribute(cuda, device, number) for number in (_CAPABILITY_MAJOR, _CAPABILITY_MINOR))
    return Gpu(name.value.decode(errors="replace"), f"{major}.{minor}")


def _attribute(cuda: Any, device: ctypes.c_int, number: int) -> int:
    value = ctypes.c_int()
    _check(cuda.cuDeviceGetAttribute(ctypes.byref(value), number, device), "cuDeviceGetAttribute")
    return value.value


def _check(code: int, call: str) -> None:
    if code != 0:
        raise BackendError(f"The NVIDIA driver fails at {call} ({code}).", hint=HINT)
