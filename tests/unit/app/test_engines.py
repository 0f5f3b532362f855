"""Loading a model into the first of the chosen engines that does not fail."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edged.app.engines import load_first
from edged.backends.choice import AUTO, choose
from edged.backends.ncnn import NcnnEngine
from edged.detect.catalogue import find_model
from edged.detect.load import load_spec
from edged.detect.spec import ModelSpec
from edged.domain.engines import EngineOptions, ModelFiles, Present
from edged.errors import BackendError, GoldenMismatch
from edged.ports import Backend, Engine
from edged.testing.backend import ScriptedBackend
from edged.testing.engine import ScriptedEngine

FAST = Present("fast 1.0", accelerated=True)


@pytest.fixture
def spec() -> ModelSpec:
    return load_spec(find_model("builtin"))


def _load(spec: ModelSpec, *engines: Engine) -> str:
    detector = load_first(spec, choose(AUTO, engines, spec.formats), EngineOptions())
    detector.close()
    return detector.engine


def test_an_engine_that_fails_to_load_is_passed_over_and_said_so(
    spec: ModelSpec, caplog: pytest.LogCaptureFixture
) -> None:
    broken = ScriptedEngine("fast", presence=FAST)
    assert _load(spec, NcnnEngine(), broken) == "ncnn"
    assert [files.format for files in broken.loaded] == ["ncnn"]
    assert "fast cannot run edged-nano" in caplog.text


def test_an_engine_that_fails_at_its_first_run_is_passed_over_and_closed(spec: ModelSpec) -> None:
    made: list[ScriptedBackend] = []

    def load(files: ModelFiles, options: EngineOptions) -> Backend:
        made.append(ScriptedBackend([], input_shape=files.input_shape, fails_at={1}))
        return made[0]

    assert _load(spec, ScriptedEngine("fast", presence=FAST, load=load), NcnnEngine()) == "ncnn"
    assert made[0].closed


def test_the_last_engines_failure_is_the_error(spec: ModelSpec) -> None:
    with pytest.raises(BackendError, match="slow was told to fail"):
        _load(spec, ScriptedEngine("fast", presence=FAST), ScriptedEngine("slow"))


def test_wrong_answers_are_never_passed_over(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(find_model("builtin"), folder)
    answer = (folder / "golden.json").read_text()
    (folder / "golden.json").write_text(answer.replace('"person"', '"vehicle"', 1))
    spare = ScriptedEngine("spare")
    with pytest.raises(GoldenMismatch, match="not found"):
        _load(load_spec(folder), NcnnEngine(), spare)
    assert spare.loaded == []


def test_no_engine_is_imported_before_a_model_is_loaded_into_it() -> None:
    look = (
        "import sys, edged.app; from edged.backends.catalogue import all_engines\n"
        "for engine in all_engines(): engine.presence()\n"
        "print(*sys.modules)"
    )
    loaded = subprocess.run([sys.executable, "-c", look], check=True, capture_output=True, text=True).stdout.split()
    assert "edged.backends.ncnn" in loaded
    assert {"ncnn", "onnxruntime", "ai_edge_litert", "tensorrt", "pycuda", "cuda", "onnx"} & set(loaded) == set()
