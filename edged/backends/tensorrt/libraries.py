"""NVIDIA's libraries, imported when they are needed and not before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from edged.backends.tensorrt.device import Device, open_device
from edged.backends.tensorrt.driver import Gpu, find_gpu
from edged.errors import BackendError

IMPORT_HINT = (
    "On a Jetson, TensorRT comes with JetPack: make the environment with `python3 -m venv --system-site-packages`. "
    "On a PC: pip install tensorrt."
)


def import_tensorrt() -> Any:
    """Import TensorRT. Raises BackendError."""
    try:
        import tensorrt
    except ImportError as problem:
        raise BackendError(f"TensorRT cannot be imported: {problem}.", hint=IMPORT_HINT) from problem
    return tensorrt


@dataclass(frozen=True, slots=True)
class Libraries:
    """What the backend needs of NVIDIA's; tests put edged.testing's fakes here."""

    find_gpu: Callable[[], Gpu] = find_gpu
    tensorrt: Callable[[], Any] = import_tensorrt
    open_device: Callable[[], Device] = open_device


NVIDIA = Libraries()
