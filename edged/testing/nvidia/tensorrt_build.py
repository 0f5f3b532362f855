"""The half of the make-believe TensorRT that builds engines."""

from __future__ import annotations

import hashlib
from types import SimpleNamespace
from typing import Any

from edged.testing.nvidia.tensorrt_base import FakeModel, TrtObject, World, setting


class Builder(TrtObject):
    def __init__(self, logger: Any) -> None:
        self._world.use_logger(logger)
        self.say("VERBOSE", "builder made")

    @property
    def num_DLA_cores(self) -> int:
        return self._world.gpu.dla_cores

    def create_network(self, flags: int = 0) -> Any:
        return self._world.trt.INetworkDefinition(flags)

    def create_builder_config(self) -> Any:
        return self._world.trt.IBuilderConfig()

    def create_optimization_profile(self) -> Any:
        return self._world.trt.IOptimizationProfile()

    def build_serialized_network(self, network: Any, config: Any) -> memoryview | None:
        world = self._world
        world.gpu.note("build")
        world.workspaces.append(config._pools.get(world.trt.MemoryPoolType.WORKSPACE, world.gpu.memory_bytes))
        problem = _why_not(world, network, config)
        if problem is not None:
            self.say("ERROR", problem)
            return None
        _tell_progress(config)
        if config.__dict__.get("_int8_calibrator") is not None:
            world.calibrated_from.append(config.int8_calibrator.read_calibration_cache())
        config._timings._measured += 1
        world.builds.append(sorted(flag.name for flag in config._flags))
        return memoryview(world.engine_bytes(network._digest, config))


class INetworkDefinition(TrtObject):
    def __init__(self, flags: int) -> None:
        self._names = {flag.name for flag in self._world.trt.NetworkDefinitionCreationFlag if flags & 1 << int(flag)}
        self._digest = ""


class OnnxParser(TrtObject):
    def __init__(self, network: Any, logger: Any) -> None:
        self._world.use_logger(logger)
        self._network = network
        self._errors: list[str] = []

    def parse(self, model: bytes, path: str | None = None) -> bool:
        digest = hashlib.sha256(model).hexdigest()
        if self._world.major < 10 and "EXPLICIT_BATCH" not in self._network._names:
            self._errors.append("the network was created without EXPLICIT_BATCH")
        elif digest not in self._world.models:
            self._errors.append("Failed to parse the ONNX model")
        else:
            self._network._digest = digest
        return not self._errors

    @property
    def num_errors(self) -> int:
        return len(self._errors)

    def get_error(self, index: int) -> Any:
        text = self._errors[index]
        return SimpleNamespace(desc=lambda: text)


class IBuilderConfig(TrtObject):
    DLA_core = setting("DLA_core")
    default_device_type = setting("default_device_type")
    int8_calibrator = setting("int8_calibrator")
    progress_monitor = setting("progress_monitor")

    def __init__(self) -> None:
        self._flags: set[Any] = {self._world.trt.BuilderFlag.TF32}  # as the real one begins
        self._pools: dict[Any, int] = {}
        self._profiles: list[Any] = []
        self._timings: Any = None

    def set_flag(self, flag: Any) -> None:
        self._flags.add(self._world.trt.BuilderFlag(flag))

    def clear_flag(self, flag: Any) -> None:
        self._flags.discard(self._world.trt.BuilderFlag(flag))

    def set_memory_pool_limit(self, pool: Any, pool_size: int) -> None:
        self._pools[self._world.trt.MemoryPoolType(pool)] = pool_size

    def add_optimization_profile(self, profile: Any) -> int:
        if not profile._shapes:
            return -1
        self._profiles.append(profile)
        return len(self._profiles) - 1

    def set_calibration_profile(self, profile: Any) -> bool:
        return bool(profile._shapes)

    def create_timing_cache(self, serialized_timing_cache: bytes) -> Any:
        return self._world.trt.ITimingCache(serialized_timing_cache)

    def set_timing_cache(self, cache: Any, ignore_mismatch: bool) -> bool:
        if not (cache._fits or ignore_mismatch):
            return False
        self._timings = cache
        return True

    def get_timing_cache(self) -> Any:
        return self._timings


class ITimingCache(TrtObject):
    def __init__(self, content: bytes) -> None:
        mark = f"timings {self._world.version} ".encode()
        self._fits = content == b"" or content.startswith(mark)
        self._measured = int(content[len(mark) :]) if content.startswith(mark) else 0

    def serialize(self) -> memoryview:
        return memoryview(f"timings {self._world.version} {self._measured}".encode())


class IOptimizationProfile(TrtObject):
    def __init__(self) -> None:
        self._shapes: dict[str, tuple[int, ...]] = {}

    def set_shape(self, input: str, min: Any, opt: Any, max: Any) -> None:  # noqa: A002 - TensorRT's own names
        assert tuple(min) <= tuple(opt) <= tuple(max)
        self._shapes[input] = tuple(opt)


def _why_not(world: World, network: Any, config: Any) -> str | None:
    """Say why a network cannot be built."""
    model, flags = world.models[network._digest], {flag.name for flag in config._flags}
    (shape,) = model.inputs.values()
    needs = config._pools.get(world.trt.MemoryPoolType.WORKSPACE, world.gpu.memory_bytes) + model.build_bytes
    typed = world.major >= 11 or "STRONGLY_TYPED" in network._names
    if typed and flags & {"FP16", "INT8"}:
        return "A strongly typed network must not be built with precision flags"
    if not typed and not _allows(model, flags):
        return f"The network has tensors of {', '.join(sorted(model.types))}, but the builder flag is not set"
    if "INT8" in flags and "INT8" not in model.types and config.int8_calibrator is None:
        return "Calibration failure: there is no calibrator and the network has no Q/DQ layers"
    if -1 in shape and not config._profiles:
        return "Network has dynamic or shape inputs, but no optimization profile has been defined"
    on_dla = config.default_device_type == world.trt.DeviceType.DLA
    if on_dla and not (flags & {"FP16", "INT8"} or (typed and model.types)):
        return "DLA supports only FP16 and INT8 precision"
    if needs > world.gpu.memory_bytes:
        return "Error Code 2: OutOfMemory (no further information)"
    return None


def _allows(model: FakeModel, flags: set[str]) -> bool:
    return all({"HALF": "FP16", "INT8": "INT8"}[kind] in flags for kind in model.types)


def _tell_progress(config: Any) -> None:
    monitor = config.__dict__.get("_progress_monitor")
    if monitor is None:
        config.say("VERBOSE", "tactic timed")
        return
    if not monitor._ready:
        raise TypeError("the monitor's __init__ must call IProgressMonitor.__init__")
    monitor.phase_start("Building engine", None, 2)
    for step in range(2):
        assert monitor.step_complete("Building engine", step) is True
    monitor.phase_finish("Building engine")
