"""Edged's builder and the stand-in held to a real API: TensorRT-RTX parses and builds without a GPU or a driver.

It has the Python API of TensorRT 11, without running anything here. pip install -e '.[tensorrt-check]'
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edged
from edged.backends.tensorrt.builder import Built, Source, build_engine
from edged.backends.tensorrt.onnx_file import read_onnx
from edged.backends.tensorrt.plan import Wishes, plan_build
from edged.backends.tensorrt.progress import BuildProgress, ProgressTeller
from edged.backends.tensorrt.versions import features_of
from edged.detect.catalogue import find_model
from edged.errors import BackendError
from edged.testing.clock import FakeClock
from edged.testing.nvidia.gpu import FakeGpu
from edged.testing.nvidia.tensorrt import fake_tensorrt, public_names
from edged.testing.onnx_model import write_tiny_onnx_model

rtx = pytest.importorskip(
    "tensorrt_rtx_bindings", reason="TensorRT-RTX is not installed: pip install -e '.[tensorrt-check]'"
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings(
        "ignore:.*Timing cache:DeprecationWarning"
    ),  # RTX has them for form's sake; TensorRT uses them
]

FEATURES = features_of("11.0.0")


def _has(name: str) -> bool:
    part: Any = rtx
    for step in name.split("."):
        if not hasattr(part, step):
            return False
        part = getattr(part, step)
    return True


def _build(path: Path, told: list[BuildProgress] | None = None) -> Built:
    facts, onnx = read_onnx(path)
    _, _, height, width = facts.inputs[0].shape
    size = (5, 7) if height == -1 else (height, width)
    plan = plan_build(FEATURES, facts, Wishes(), input_shape=(3, *size))
    teller = ProgressTeller((told if told is not None else []).append, FakeClock())
    return build_engine(rtx, FEATURES, plan, Source(path, onnx), teller)


def test_every_name_of_the_stand_in_for_11_is_real() -> None:
    assert [name for name in sorted(public_names("11.4.1")) if not _has(name)] == []


def test_names_that_the_stand_in_for_11_lacks_are_gone_for_real() -> None:
    gone = public_names("8.5.2") - public_names("11.4.1")
    assert "BuilderFlag.FP16" in gone
    assert [name for name in sorted(gone) if _has(name)] == []


def test_the_enums_of_the_stand_in_have_the_real_numbers() -> None:
    fake = fake_tensorrt(FakeGpu(), "11.4.1", {})
    for name in (
        "NetworkDefinitionCreationFlag",
        "BuilderFlag",
        "MemoryPoolType",
        "DeviceType",
        "TensorIOMode",
        "DataType",
    ):
        for member in getattr(fake, name):
            assert (name, member.name, int(getattr(getattr(rtx, name), member.name))) == (
                name,
                member.name,
                int(member),
            )


def test_an_attribute_that_is_not_there_cannot_be_set_on_either() -> None:
    class Quiet(rtx.ILogger):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            rtx.ILogger.__init__(self)

        def log(self, severity: object, text: str) -> None: ...

    real = rtx.Builder(Quiet()).create_builder_config()
    for config in (real, fake_tensorrt(FakeGpu(), "11.4.1", {}).IBuilderConfig()):
        with pytest.raises(AttributeError):
            config.max_workspace_size = 1 << 20


@pytest.mark.parametrize("shape", [(3, 5, 7), (3, -1, -1)])
def test_the_tiny_model_is_built_and_progress_told(tmp_path: Path, shape: tuple[int, int, int]) -> None:
    told: list[BuildProgress] = []
    built = _build(write_tiny_onnx_model(tmp_path, shape=shape), told)
    assert len(built.engine) > 1000
    assert built.timings
    assert told[0].total > 0


def test_timings_of_one_build_are_taken_by_the_next_and_garbage_is_not(tmp_path: Path) -> None:
    path = write_tiny_onnx_model(tmp_path)
    facts, onnx = read_onnx(path)
    plan = plan_build(FEATURES, facts, Wishes(), input_shape=(3, 5, 7))
    teller = ProgressTeller(lambda progress: None, FakeClock())
    timings = _build(path).timings
    for given in (timings, b"", b"garbage"):
        assert build_engine(rtx, FEATURES, plan, Source(path, onnx, timings=given), teller).engine


def test_what_is_no_onnx_model_is_refused_with_the_parsers_words(tmp_path: Path) -> None:
    path = write_tiny_onnx_model(tmp_path)
    facts, onnx = read_onnx(path)
    plan = plan_build(FEATURES, facts, Wishes(), input_shape=(3, 5, 7))
    teller = ProgressTeller(lambda progress: None, FakeClock())
    with pytest.raises(BackendError, match=r"does not understand .*tiny\.onnx: \S"):
        build_engine(rtx, FEATURES, plan, Source(path, onnx.replace(b"Conv", b"Cxnv")), teller)


@pytest.mark.parametrize("name", ["fastestdet/FastestDet.onnx", "yolo26n-320/yolo26n-320-e2e.onnx"])
def test_real_models_are_built(shared_dir: Path, name: str) -> None:
    assert len(_build(shared_dir / "models" / name).engine) > 1_000_000


def test_the_model_that_comes_with_edged_is_built() -> None:
    (path,) = (Path(edged.__file__).parent / "models" / "builtin").glob("*.onnx")
    assert len(_build(path).engine) > 100_000


@pytest.mark.parametrize("kind", ["fp16", "int8"])
def test_models_that_say_their_types_are_built(tmp_path: Path, kind: str) -> None:
    pytest.importorskip("onnx")
    from edged.optimize.typed_onnx import write_float16, write_int8

    source, target = write_tiny_onnx_model(tmp_path, shape=(3, 32, 32)), tmp_path / "typed.onnx"
    if kind == "fp16":
        write_float16(source, target)
    else:
        write_int8(source, target, [np.random.default_rng(0).random((3, 32, 32), dtype=np.float32)])
    facts, _ = read_onnx(target)
    assert (facts.half, facts.quantized) == ((True, False) if kind == "fp16" else (False, True))
    assert len(_build(target).engine) > 1000


def test_the_built_in_model_builds_from_its_twin_whose_weights_lie_in_a_file_beside_it() -> None:
    assert len(_build(find_model("builtin") / "edged-nano.onnx").engine) > 1_000_000
