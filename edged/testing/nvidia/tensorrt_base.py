"""What all versions of the make-believe TensorRT are made of: strict objects, models, and what one version knows."""

from __future__ import annotations

import json
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from edged.testing.nvidia.gpu import CudaMisuse, FakeGpu
from edged.testing.nvidia.tensorrt_names import is_in

Arrays = list[npt.NDArray[Any]]

MAGIC = b"ftrt"


@dataclass(frozen=True, slots=True)
class FakeModel:
    """What an ONNX file is to this TensorRT."""

    inputs: Mapping[str, tuple[int, ...]]  # -1 is an open side
    outputs: Mapping[str, Callable[[tuple[int, ...]], tuple[int, ...]]]  # shape from that of the input
    compute: Callable[[npt.NDArray[np.float32]], Arrays]  # (3, H, W) in, one array an output
    types: frozenset[str] = frozenset()  # HALF, INT8: what it says of its own types
    dtype: str = "FLOAT"  # of what goes in and out
    build_bytes: int = 0  # what the builder needs beside its workspace


class Strict:
    """As pybind11's classes are: an attribute that is not there cannot be set."""

    def __setattr__(self, name: str, value: object) -> None:
        if not name.startswith("_") and not isinstance(getattr(type(self), name, None), property):
            raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")
        object.__setattr__(self, name, value)


def setting(name: str) -> property:
    """Make a property that keeps what is set."""

    def read(self: Any) -> Any:
        return self.__dict__.get(f"_{name}")

    def write(self: Any, value: object) -> None:
        self.__dict__[f"_{name}"] = value

    return property(read, write)


class ILogger(Strict):
    """To be derived from."""

    Severity = IntEnum("Severity", {"INTERNAL_ERROR": 0, "ERROR": 1, "WARNING": 2, "INFO": 3, "VERBOSE": 4})

    def __init__(self) -> None:
        self._ready = True


class IProgressMonitor(Strict):
    """To be derived from."""

    def __init__(self) -> None:
        self._ready = True


class IInt8EntropyCalibrator2(Strict):
    """To be derived from."""

    def __init__(self) -> None:
        self._ready = True


class TrtObject(Strict):
    """What TensorRT makes. `_world` is set on the class that a version has of it."""

    _world: World

    def say(self, severity: str, text: str) -> None:
        self._world.say(severity, text)


class World:
    """What one version of TensorRT knows on one GPU."""

    def __init__(self, gpu: FakeGpu, version: str, models: Mapping[str, FakeModel]) -> None:
        self.gpu = gpu
        self.version = version
        self.major = int(version.split(".")[0])
        self.models = models
        self.builds: list[list[str]] = []  # the flags of each build
        self.workspaces: list[int] = []  # of each attempt to build
        self.calibrated_from: list[bytes] = []  # what the calibrators gave
        self.engine_needs_bytes = self.context_needs_bytes = 0  # levers
        self.engine_mark = ""  # lever: engines with another mark are refused
        self.trt: Any = None
        self._logger: Callable[[], Any] = lambda: None

    def use_logger(self, logger: Any) -> None:
        """Speak to the first logger that is given, for ever, as the real one does."""
        if not getattr(logger, "_ready", False):
            raise TypeError("the logger's __init__ must call ILogger.__init__")
        if self._logger() is None:
            self._logger = weakref.ref(logger)

    def say(self, severity: str, text: str) -> None:
        """Log a line."""
        logger = self._logger()
        if logger is None:
            raise CudaMisuse("TensorRT speaks to a logger that is gone")
        logger.log(ILogger.Severity[severity], text)

    def has(self, name: str) -> bool:
        """Does this version have a name?"""
        return is_in(name, self.major)

    def engine_bytes(self, digest: str, config: Any) -> bytes:
        """Serialise an engine."""
        shapes = [shape for profile in config._profiles for shape in profile._shapes.values()]
        header = {
            "tensorrt": self.version,
            "gpu": self.gpu.name,
            "model": digest,
            "shape": shapes[0] if shapes else None,
            "dla": config.DLA_core,
            "mark": self.engine_mark,
        }
        return MAGIC + json.dumps(header).encode()
