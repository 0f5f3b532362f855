"""Which engine runs a model, and what is said when none can."""

from __future__ import annotations

import pytest

from edged.backends.choice import AUTO, Choice, choose, demand_engine
from edged.domain.engines import Absent, Present
from edged.errors import BackendError, ModelInvalid
from edged.ports import Engine
from edged.testing.engine import ScriptedEngine

NO_GPU = Absent("the driver libcuda.so.1 is not there", "Install NVIDIA's driver.")

ncnn = ScriptedEngine("ncnn")
onnx = ScriptedEngine("onnxruntime", formats=("onnx",))
tensorrt = ScriptedEngine("tensorrt", formats=("tensorrt", "onnx"), presence=Present("tensorrt 10", accelerated=True))
no_gpu = ScriptedEngine("tensorrt", formats=("tensorrt", "onnx"), presence=NO_GPU)


def _names(choice: Choice) -> list[tuple[str, str]]:
    return [(engine.name, format_) for engine, format_ in choice.candidates]


@pytest.mark.parametrize(
    ("engines", "formats", "expected"),
    [
        ([ncnn, onnx], {"ncnn", "onnx"}, [("ncnn", "ncnn"), ("onnxruntime", "onnx")]),
        ([ncnn, onnx], {"onnx"}, [("onnxruntime", "onnx")]),
        ([ncnn, onnx, tensorrt], {"ncnn", "onnx"}, [("tensorrt", "onnx"), ("ncnn", "ncnn"), ("onnxruntime", "onnx")]),
        ([ncnn, tensorrt], {"onnx", "tensorrt"}, [("tensorrt", "tensorrt")]),
        ([ncnn, no_gpu], {"ncnn", "onnx"}, [("ncnn", "ncnn")]),
    ],
)
def test_auto_takes_an_accelerator_first_and_then_the_given_order(
    engines: list[Engine], formats: set[str], expected: list[tuple[str, str]]
) -> None:
    assert _names(choose(AUTO, engines, formats)) == expected


def test_a_named_engine_is_the_only_one_considered() -> None:
    choice = choose("onnxruntime", [ncnn, onnx, tensorrt], {"ncnn", "onnx"})
    assert _names(choice) == [("onnxruntime", "onnx")]
    assert [verdict.engine for verdict in choice.verdicts] == ["onnxruntime"]


def test_an_unknown_engine_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(BackendError, match=r"no engine 'onxruntime'(.|\n)*Did you mean onnxruntime\?"):
        choose("onxruntime", [ncnn, onnx], {"ncnn"})


@pytest.mark.parametrize(("written", "meant"), [("trt", "tensorrt"), ("onnx", "onnxruntime")])
def test_an_engine_by_another_of_its_names_is_told_the_right_one(written: str, meant: str) -> None:
    with pytest.raises(BackendError, match=f"Did you mean {meant}"):
        choose(written, [ncnn, onnx, tensorrt, ScriptedEngine("litert", formats=("litert",))], {"ncnn"})


def test_a_named_engine_that_is_absent_says_why_and_what_to_install() -> None:
    choice = choose("tensorrt", [ncnn, no_gpu], {"ncnn", "onnx"})
    with pytest.raises(BackendError, match=r"libcuda(.|\n)*Install NVIDIA"):
        demand_engine(choice, model="yard", formats={"ncnn", "onnx"})


def test_a_named_engine_that_the_model_has_no_files_for_says_which_it_has() -> None:
    with pytest.raises(ModelInvalid, match=r"no files for the engine onnxruntime(.|\n)*litert, ncnn"):
        demand_engine(choose("onnxruntime", [onnx], {"ncnn", "litert"}), model="yard", formats={"ncnn", "litert"})


def test_auto_without_a_usable_engine_names_those_that_would_fit() -> None:
    with pytest.raises(BackendError, match=r"onnx(.|\n)*tensorrt: the driver libcuda"):
        demand_engine(choose(AUTO, [ncnn, no_gpu], {"onnx"}), model="yard", formats={"onnx"})
