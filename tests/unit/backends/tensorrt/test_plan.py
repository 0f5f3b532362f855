"""How engines are built, version by version."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edged.backends.tensorrt.onnx_file import FLOAT16, OnnxFacts, OnnxTensor
from edged.backends.tensorrt.plan import BuildPlan, Precision, Wishes, plan_build
from edged.backends.tensorrt.versions import features_of
from edged.errors import BackendError

PLAIN = OnnxFacts(
    (OnnxTensor("in0", (1, 3, 5, 7)),), (OnnxTensor("out0", (1, 4)),), frozenset({"Conv"}), frozenset({1})
)
HALF = replace(PLAIN, weight_types=frozenset({FLOAT16, 1}))
QUANTIZED = replace(PLAIN, operators=frozenset({"Conv", "QuantizeLinear", "DequantizeLinear"}))
OPEN = replace(PLAIN, inputs=(OnnxTensor("in0", (-1, 3, -1, -1)),))


def _plan(version: str, facts: OnnxFacts = PLAIN, wishes: Wishes | None = None) -> BuildPlan:
    return plan_build(features_of(version), facts, wishes or Wishes(), input_shape=(3, 5, 7))


@pytest.mark.parametrize(
    ("version", "facts", "network", "flags", "precision"),
    [
        ("8.5.2", PLAIN, ("EXPLICIT_BATCH",), ("FP16",), "fp16"),
        ("8.6.1", HALF, ("EXPLICIT_BATCH",), ("FP16",), "fp16"),
        ("8.6.1", QUANTIZED, ("EXPLICIT_BATCH",), ("FP16", "INT8"), "int8"),
        ("10.3.0", PLAIN, (), ("FP16",), "fp16"),
        ("10.3.0", HALF, ("STRONGLY_TYPED",), (), "fp16"),
        ("10.3.0", QUANTIZED, ("STRONGLY_TYPED",), (), "int8"),
        ("11.4.1", PLAIN, (), (), "tf32"),
        ("11.4.1", HALF, (), (), "fp16"),
        ("11.4.1", QUANTIZED, (), (), "int8"),
    ],
)
def test_without_a_wish_a_model_is_built_in_its_own_types_or_in_float16(
    version: str, facts: OnnxFacts, network: tuple[str, ...], flags: tuple[str, ...], precision: str
) -> None:
    plan = _plan(version, facts)
    assert plan.network_flags == network
    assert plan.builder_flags == flags
    assert plan.precision == precision
    assert not plan.calibrate


@pytest.mark.parametrize("version", ["8.5.2", "10.3.0", "11.4.1"])
def test_who_asks_for_float32_gets_no_tf32(version: str) -> None:
    plan = _plan(version, wishes=Wishes(Precision.FP32))
    assert plan.builder_flags == ()
    assert plan.cleared_flags == ("TF32",)
    assert plan.precision == "fp32"
    assert _plan(version).cleared_flags == ()


@pytest.mark.parametrize("precision", [Precision.FP16, Precision.INT8])
def test_what_11_can_no_longer_choose_is_refused_with_the_tool_that_helps(precision: Precision) -> None:
    with pytest.raises(BackendError, match=r"own types only[^$]*typed_onnx"):
        _plan("11.4.1", wishes=Wishes(precision, calibrated=True))


@pytest.mark.parametrize("version", ["8.5.2", "10.3.0"])
def test_int8_of_a_float32_model_needs_a_calibration_cache(version: str) -> None:
    with pytest.raises(BackendError, match="no calibration cache"):
        _plan(version, wishes=Wishes(Precision.INT8))
    plan = _plan(version, wishes=Wishes(Precision.INT8, calibrated=True))
    assert plan.calibrate
    assert plan.builder_flags == ("FP16", "INT8")


@pytest.mark.parametrize("version", ["8.5.2", "10.3.0", "11.4.1"])
@pytest.mark.parametrize(
    ("facts", "wish"), [(HALF, Precision.FP32), (QUANTIZED, Precision.FP16), (HALF, Precision.INT8)]
)
def test_a_model_that_says_its_types_is_built_in_no_others(version: str, facts: OnnxFacts, wish: Precision) -> None:
    with pytest.raises(BackendError, match="says by itself"):
        _plan(version, facts, Wishes(wish))


@pytest.mark.parametrize(
    ("version", "facts", "flags"),
    [
        ("8.6.1", PLAIN, ("FP16", "GPU_FALLBACK")),
        ("10.3.0", HALF, ("GPU_FALLBACK",)),
        ("11.4.1", QUANTIZED, ("GPU_FALLBACK",)),
    ],
)
def test_the_dla_falls_back_to_the_gpu(version: str, facts: OnnxFacts, flags: tuple[str, ...]) -> None:
    plan = _plan(version, facts, Wishes(dla_core=1))
    assert plan.dla_core == 1
    assert plan.builder_flags == flags


@pytest.mark.parametrize(("version", "precision"), [("8.5.2", Precision.FP32), ("11.4.1", Precision.AUTO)])
def test_the_dla_takes_no_float32(version: str, precision: Precision) -> None:
    with pytest.raises(BackendError, match="float16 and int8 only"):
        _plan(version, PLAIN, Wishes(precision, dla_core=0))


def test_open_sides_are_fixed_and_fixed_ones_left_alone() -> None:
    assert _plan("10.3.0", OPEN).input_shape == (1, 3, 5, 7)
    assert _plan("10.3.0", PLAIN).input_shape is None
