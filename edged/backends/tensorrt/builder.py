"""Builds an engine as a plan says. The only module that talks to TensorRT's builder."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edged.backends.tensorrt.messages import Messages, messages_of
from edged.backends.tensorrt.plan import SMALLEST_WORKSPACE_BYTES, BuildPlan
from edged.backends.tensorrt.progress import ProgressTeller, make_monitor
from edged.backends.tensorrt.versions import Features
from edged.errors import BackendError, GpuMemoryExhausted

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Source:
    """What an engine is built from."""

    path: Path  # for messages
    onnx: bytes
    timings: bytes = b""  # what earlier builds measured; may be empty
    calibration: bytes | None = None  # a calibration cache


@dataclass(frozen=True, slots=True)
class Built:
    """What comes out."""

    engine: bytes
    timings: bytes


def build_engine(trt: Any, features: Features, plan: BuildPlan, source: Source, teller: ProgressTeller) -> Built:
    """Build; with a smaller workspace again where the GPU's memory does not suffice.

    Takes minutes. Raises BackendError with TensorRT's own reason, GpuMemoryExhausted where that is memory.
    """
    messages = messages_of(trt)
    while True:
        messages.clear()
        with messages.heard_by(_ignore if features.progress_monitor else teller.alive):
            built = _build(trt, features, plan, source, teller, messages)
        if built is not None:
            return built
        if not messages.is_about_memory():
            raise BackendError(
                f"TensorRT {features.version} cannot build {source.path}: {messages.reason()}.",
                hint="Another precision may work, or another export; or set model.backend to another engine.",
            )
        smaller = plan.workspace_bytes // 4
        if smaller < SMALLEST_WORKSPACE_BYTES:
            raise GpuMemoryExhausted(
                f"The GPU's memory does not suffice to build {source.path}: {messages.reason()}.",
                hint="Close what else uses the GPU (a desktop does, on a Jetson), add swap, or take a smaller model.",
            )
        log.warning(
            "Not enough memory to build with a workspace of %d MiB; again with %d MiB.",
            plan.workspace_bytes >> 20,
            smaller >> 20,
        )
        plan = replace(plan, workspace_bytes=smaller)


def _build(
    trt: Any, features: Features, plan: BuildPlan, source: Source, teller: ProgressTeller, messages: Messages
) -> Built | None:
    logger = messages.logger
    trt.init_libnvinfer_plugins(logger, "")
    builder = trt.Builder(logger)
    network = builder.create_network(_bits(trt.NetworkDefinitionCreationFlag, plan.network_flags))
    parser = trt.OnnxParser(network, logger)  # owns the weights: lives as long as the network
    if not parser.parse(source.onnx, str(source.path)):  # the path, for weights in a file beside it
        raise _unparsed(features, source, parser)
    config = builder.create_builder_config()
    _configure(trt, builder, config, plan)
    calibrator = _set_calibration(trt, config, plan, source)
    monitor = make_monitor(trt, teller) if features.progress_monitor else None
    if monitor is not None:
        config.progress_monitor = monitor
    _set_timings(config, source.timings)
    engine = builder.build_serialized_network(network, config)
    del calibrator, monitor  # not before the build is over
    return None if engine is None else Built(bytes(engine), _timings(config))


def _configure(trt: Any, builder: Any, config: Any, plan: BuildPlan) -> None:
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, plan.workspace_bytes)
    for name in plan.builder_flags:
        config.set_flag(getattr(trt.BuilderFlag, name))
    for name in plan.cleared_flags:
        config.clear_flag(getattr(trt.BuilderFlag, name))
    if plan.dla_core is not None:
        _choose_dla(trt, builder, config, plan.dla_core)
    if plan.input_shape is not None:
        _fix_shape(builder, config, plan)


def _ignore() -> None:
    """A builder with a progress monitor needs no other sign of life."""


def _bits(kind: Any, names: Sequence[str]) -> int:
    return sum(1 << int(getattr(kind, name)) for name in names)


def _unparsed(features: Features, source: Source, parser: Any) -> BackendError:
    errors = [str(parser.get_error(number).desc()) for number in range(parser.num_errors)]
    return BackendError(
        f"TensorRT {features.version} does not understand {source.path}: {' | '.join(errors) or 'it says not why'}.",
        hint="Export the model with an older opset, or set model.backend to another engine.",
    )


def _choose_dla(trt: Any, builder: Any, config: Any, core: int) -> None:
    count = builder.num_DLA_cores
    if core >= count:
        there = "none that this TensorRT can use" if count == 0 else f"{count}, counted from 0"
        raise BackendError(
            f"DLA core {core} was asked for, but this machine has {there}.",
            hint="Orin Nano has no DLA, and TensorRT 10.8 to 11.3 knows none. Take the setting out to use the GPU.",
        )
    config.default_device_type = trt.DeviceType.DLA
    config.DLA_core = core


def _fix_shape(builder: Any, config: Any, plan: BuildPlan) -> None:
    profile = builder.create_optimization_profile()
    profile.set_shape(plan.input_name, plan.input_shape, plan.input_shape, plan.input_shape)
    if config.add_optimization_profile(profile) < 0:
        raise BackendError(
            f"TensorRT does not take the input size {plan.input_shape}.",
            hint="Correct width_px and height_px in model.toml, or export the model at a fixed size.",
        )
    if plan.calibrate:
        config.set_calibration_profile(profile)


def _set_calibration(trt: Any, config: Any, plan: BuildPlan, source: Source) -> Any:
    if not plan.calibrate:
        return None

    class Calibrator(trt.IInt8EntropyCalibrator2):  # type: ignore[misc]
        """Gives ranges that were measured before, and no pictures."""

        def __init__(self) -> None:
            trt.IInt8EntropyCalibrator2.__init__(self)

        def get_batch_size(self) -> int:
            return 1

        def get_batch(self, names: Sequence[str]) -> None:
            return None

        def read_calibration_cache(self) -> bytes | None:
            return source.calibration

        def write_calibration_cache(self, cache: object) -> None:
            return None

    config.int8_calibrator = Calibrator()
    return config.int8_calibrator


def _set_timings(config: Any, timings: bytes) -> None:
    cache = config.create_timing_cache(timings)
    if not (cache and config.set_timing_cache(cache, False)):  # another GPU's or version's
        config.set_timing_cache(config.create_timing_cache(b""), False)


def _timings(config: Any) -> bytes:
    cache = config.get_timing_cache()
    return bytes(cache.serialize()) if cache else b""
