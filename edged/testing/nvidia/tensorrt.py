"""A stand-in for the module tensorrt in any version from 8.5 to 11, over a FakeGpu.

Each version has the names that the real one has, as far as edged uses them; what a version lacks is an AttributeError.
Models are known by their bytes: a FakeModel says what goes in and out, and computes. Wrong order of calls is a
CudaMisuse; what the real TensorRT answers with None or False is answered so here, with a line to the logger.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from enum import IntEnum
from types import ModuleType
from typing import Any

from edged.testing.nvidia import tensorrt_base, tensorrt_build, tensorrt_run
from edged.testing.nvidia.gpu import FakeGpu
from edged.testing.nvidia.tensorrt_base import FakeModel, World
from edged.testing.nvidia.tensorrt_names import ENUMS, RENUMBERED

_CLASSES: tuple[type, ...] = (
    tensorrt_base.ILogger,
    tensorrt_base.IProgressMonitor,
    tensorrt_base.IInt8EntropyCalibrator2,
    tensorrt_build.Builder,
    tensorrt_build.INetworkDefinition,
    tensorrt_build.OnnxParser,
    tensorrt_build.IBuilderConfig,
    tensorrt_build.ITimingCache,
    tensorrt_build.IOptimizationProfile,
    tensorrt_run.Runtime,
    tensorrt_run.ICudaEngine,
    tensorrt_run.IExecutionContext,
)


def fake_tensorrt(gpu: FakeGpu, version: str, models: Mapping[bytes, FakeModel]) -> Any:
    """Make the module of a version. `models` are known by the bytes of their ONNX file.

    Its attribute `world` has levers and what was built.
    """
    world = World(gpu, version, {hashlib.sha256(onnx).hexdigest(): model for onnx, model in models.items()})
    names: dict[str, Any] = {"__version__": version, "world": world}
    for kind in _CLASSES:
        if world.has(kind.__name__):
            names[kind.__name__] = _of_version(kind, world)
    for name, members in ENUMS.items():
        there = {member: value for member, value in members.items() if world.has(f"{name}.{member}")}
        there |= RENUMBERED.get((name, world.major), {})
        names[name] = IntEnum(name, there)
    names["init_libnvinfer_plugins"] = _init_plugins
    world.trt = ModuleType("tensorrt")
    vars(world.trt).update(names)
    return world.trt


def _init_plugins(logger: Any, namespace: str) -> bool:
    return namespace == ""


def _of_version(kind: type, world: World) -> type:
    """Copy a class without the names that this version lacks."""
    own = {
        name: value
        for name, value in vars(kind).items()
        if world.has(f"{kind.__name__}.{name}") and name not in ("__dict__", "__weakref__")
    }
    return type(kind.__name__, kind.__bases__, {**own, "_world": world})


def public_names(version: str) -> set[str]:
    """Name all that the fake of a version has: classes, enums, and with a dot what is inside them."""
    trt = fake_tensorrt(FakeGpu(), version, {})
    names = {name for name in vars(trt) if not name.startswith("__")} - {"world"}
    kinds = {name for name in names if isinstance(getattr(trt, name), type)}
    inside = {f"{name}.{member}" for name in kinds for member in vars(getattr(trt, name)) if member[0].isalpha()}
    return names | inside
