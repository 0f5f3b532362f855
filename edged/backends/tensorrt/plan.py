"""Decides how an engine is built: pure, from what the version can do, what the model says and what was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from edged.backends.tensorrt.onnx_file import OnnxFacts
from edged.backends.tensorrt.versions import Features
from edged.errors import BackendError

WORKSPACE_BYTES = 1 << 30
"""How much memory a layer may borrow while it runs. More lets TensorRT choose among more kernels."""

SMALLEST_WORKSPACE_BYTES = 1 << 26

EXPORT_HINT = "scripts/typed_onnx, on a workstation, writes a model that says its types."


class Precision(str, Enum):
    """In which numbers the engine computes."""

    AUTO = "auto"  # as the model says; a float32 model in float16 where TensorRT chooses by itself (before 11)
    FP32 = "fp32"
    FP16 = "fp16"
    INT8 = "int8"  # by the model's own Q/DQ, or by a calibration cache (before 11)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user asks for."""

    precision: Precision = Precision.AUTO
    dla_core: int | None = None  # None: the GPU
    workspace_bytes: int = WORKSPACE_BYTES
    calibrated: bool = False  # a calibration cache lies beside the model


@dataclass(frozen=True, slots=True)
class BuildPlan:
    """What the builder is told, by the names that TensorRT gives things."""

    network_flags: tuple[str, ...]
    builder_flags: tuple[str, ...]
    cleared_flags: tuple[str, ...]
    calibrate: bool
    dla_core: int | None
    workspace_bytes: int
    input_name: str
    input_shape: tuple[int, int, int, int] | None  # what an open shape is fixed to; None when it is fixed already
    precision: str  # in words: for people, and for the key of the cache


def plan_build(features: Features, facts: OnnxFacts, wishes: Wishes, *, input_shape: tuple[int, int, int]) -> BuildPlan:
    """Decide. Raises BackendError when this version cannot do what was asked for."""
    typed = facts.quantized or facts.half
    flags: tuple[str, ...] = ()
    network_flags = ("EXPLICIT_BATCH",) if features.explicit_batch_flag else ()
    if typed:
        _refuse_other_than_typed(facts, wishes)
    if typed and not features.explicit_batch_flag:
        network_flags = ("STRONGLY_TYPED",) if features.strongly_typed_flag else ()
    else:
        flags = _precision_flags(features, facts, wishes)
    _check_dla(wishes, typed=typed, flags=flags)
    exact = wishes.precision is Precision.FP32  # who asks for float32 wants no TF32, which rounds to ten bits
    tensor = facts.inputs[0]
    return BuildPlan(
        network_flags=network_flags,
        builder_flags=(*flags, *(("GPU_FALLBACK",) if wishes.dla_core is not None else ())),
        cleared_flags=("TF32",) if exact else (),
        calibrate="INT8" in flags and not facts.quantized,
        dla_core=wishes.dla_core,
        workspace_bytes=wishes.workspace_bytes,
        input_name=tensor.name,
        input_shape=(1, *input_shape) if -1 in tensor.shape else None,
        precision=_name(facts, flags, exact=exact),
    )


def _precision_flags(features: Features, facts: OnnxFacts, wishes: Wishes) -> tuple[str, ...]:
    """Which numbers a network may use that is not held to its own types."""
    if not features.precision_flags:
        return _no_flags(features, wishes)
    if facts.quantized or wishes.precision is Precision.INT8:
        if not (facts.quantized or wishes.calibrated):
            raise BackendError(
                "INT8 was asked for, but the model has no quantisation in it and no calibration cache beside it.",
                hint=EXPORT_HINT,
            )
        return ("FP16", "INT8")  # what is not quantised runs in float16
    if facts.half or wishes.precision in (Precision.AUTO, Precision.FP16):
        return ("FP16",)
    return ()


def _no_flags(features: Features, wishes: Wishes) -> tuple[str, ...]:
    if wishes.precision in (Precision.AUTO, Precision.FP32):
        return ()
    raise BackendError(
        f"{wishes.precision.value} was asked for, but the model is in float32, and TensorRT {features.version} runs a "
        "model in its own types only.",
        hint=EXPORT_HINT,
    )


def _refuse_other_than_typed(facts: OnnxFacts, wishes: Wishes) -> None:
    own = Precision.INT8 if facts.quantized else Precision.FP16
    if wishes.precision not in (Precision.AUTO, own):
        raise BackendError(
            f"{wishes.precision.value} was asked for, but the model says by itself that it computes in {own.value}.",
            hint="Leave the precision to the model, or use the float32 export.",
        )


def _check_dla(wishes: Wishes, *, typed: bool, flags: tuple[str, ...]) -> None:
    if wishes.dla_core is not None and not typed and not flags:
        raise BackendError("The DLA computes in float16 and int8 only; this model is in float32.", hint=EXPORT_HINT)


def _name(facts: OnnxFacts, flags: tuple[str, ...], *, exact: bool) -> str:
    if facts.quantized or "INT8" in flags:
        return "int8"
    if facts.half or "FP16" in flags:
        return "fp16"
    return "fp32" if exact else "tf32"
