"""ONNX Runtime's own ways: providers, the kept graph, names. What every engine promises is in the contract tests."""

from __future__ import annotations

import logging
import os
import resource
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edged.backends.onnx_providers import PROVIDERS, candidates, installed
from edged.backends.onnx_session import open_session, raised
from edged.backends.onnxruntime import OnnxRuntimeBackend, OnnxRuntimeEngine
from edged.domain.engines import Present
from edged.errors import BackendError, ModelInvalid, ModelNotFound
from edged.testing.ncnn_model import tiny_answer, tiny_weights
from edged.testing.onnx_model import write_tiny_onnx_model

SHAPE = (3, 5, 7)
NAMES: dict[str, Any] = {"input_name": "in0", "output_names": ["out0", "out1"], "input_shape": SHAPE}
CUDA, OPENVINO = "CUDAExecutionProvider", "OpenVINOExecutionProvider"


def _right(backend: OnnxRuntimeBackend, seed: int = 0) -> bool:
    blob = np.random.default_rng(1).random(SHAPE, dtype=np.float32)
    pairs = zip(backend.infer(blob), tiny_answer(blob, seed=seed), strict=True)
    return all(np.allclose(one, other, atol=1e-5) for one, other in pairs)


def test_providers_are_taken_in_order_where_their_hardware_is_and_passed_over_with_a_reason(tmp_path: Path) -> None:
    available = [CUDA, OPENVINO, "QNNExecutionProvider", "CPUExecutionProvider"]
    taken, passed = candidates(available, root=tmp_path)
    assert [provider.name for provider in taken] == [OPENVINO]
    reasons = {each.name: each.reason for each in passed}
    assert reasons["TensorrtExecutionProvider"] == "not in this ONNX Runtime; the package onnxruntime-gpu has it"
    assert "/dev/nvidia0" in reasons[CUDA]
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / "nvidia0").touch()
    assert [provider.name for provider in candidates(available, root=tmp_path)[0]] == [CUDA, OPENVINO]


def test_what_a_package_brings_is_seen_by_its_files(tmp_path: Path) -> None:
    assert installed(tmp_path) == []
    (tmp_path / "libonnxruntime_providers_cuda.so").touch()
    assert installed(tmp_path) == [CUDA]


def test_it_is_present_on_the_processor_and_says_what_an_accelerator_would_need() -> None:
    presence = OnnxRuntimeEngine().presence()
    assert isinstance(presence, Present)
    assert presence.detail.startswith("onnxruntime ")
    if not presence.accelerated:
        assert len(presence.notes) >= len(PROVIDERS) - 1


def test_the_backend_tells_which_provider_took_the_model_and_why_not_a_better_one(tmp_path: Path) -> None:
    backend = OnnxRuntimeBackend(write_tiny_onnx_model(tmp_path), **NAMES)
    assert {backend.provider} | {each.name for each in backend.passed_over} >= {each.name for each in PROVIDERS}


def test_the_optimised_graph_is_kept_and_used_again(tmp_path: Path) -> None:
    path, cache = write_tiny_onnx_model(tmp_path), tmp_path / "cache"
    assert _right(OnnxRuntimeBackend(path, cache_dir=cache, **NAMES))
    (kept,) = cache.iterdir()
    before = kept.stat().st_mtime_ns
    assert _right(OnnxRuntimeBackend(path, cache_dir=cache, **NAMES))
    assert [each.stat().st_mtime_ns for each in cache.iterdir()] == [before]


def test_another_model_at_the_same_path_replaces_the_kept_graph(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    OnnxRuntimeBackend(write_tiny_onnx_model(tmp_path, seed=0), cache_dir=cache, **NAMES)
    (old,) = cache.iterdir()
    assert _right(OnnxRuntimeBackend(write_tiny_onnx_model(tmp_path, seed=1), cache_dir=cache, **NAMES), seed=1)
    assert len(list(cache.iterdir())) == 1
    assert not old.exists()


def test_what_a_cut_of_power_left_of_a_graph_goes_with_the_next(tmp_path: Path) -> None:
    path, cache = write_tiny_onnx_model(tmp_path), tmp_path / "cache"
    OnnxRuntimeBackend(path, cache_dir=cache, **NAMES)
    (kept,) = cache.iterdir()
    stem = kept.name.rpartition("-")[0]
    kept.rename(cache / f"{stem}-0.part")  # as by a process that ended meanwhile
    assert _right(OnnxRuntimeBackend(path, cache_dir=cache, **NAMES))
    assert [each.name for each in cache.iterdir()] == [kept.name]


def test_other_weights_beside_the_model_make_another_graph(tmp_path: Path) -> None:
    path, cache = write_tiny_onnx_model(tmp_path), tmp_path / "cache"
    OnnxRuntimeBackend(path, cache_dir=cache, **NAMES)
    (old,) = cache.iterdir()
    (tmp_path / "tiny.bin").write_bytes(b"weights")
    OnnxRuntimeBackend(path, cache_dir=cache, **NAMES)
    assert [each.name for each in cache.iterdir()] != [old.name]


def test_a_full_disk_keeps_nothing_and_harms_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path, cache = write_tiny_onnx_model(tmp_path), tmp_path / "cache"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, before[1]))  # no file of this process grows beyond
    try:
        backend = OnnxRuntimeBackend(path, cache_dir=cache, **NAMES)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert _right(backend)
    assert [record.levelno for record in caplog.records if "cannot be kept" in record.message] == [logging.WARNING]
    assert list(cache.iterdir()) == []


def test_a_damaged_model_is_the_models_fault_and_not_the_disks(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "cut.onnx").write_bytes(write_tiny_onnx_model(tmp_path).read_bytes()[:100])
    with pytest.raises(ModelInvalid, match=r"cut.onnx"):
        OnnxRuntimeBackend(tmp_path / "cut.onnx", cache_dir=tmp_path / "cache", **NAMES)
    assert "cannot be kept" not in caplog.text


def test_an_empty_file_is_a_damaged_one(tmp_path: Path) -> None:
    (tmp_path / "empty.onnx").touch()
    with pytest.raises(ModelInvalid, match=r"empty.onnx(.|\n)*damaged or no ONNX model"):
        OnnxRuntimeBackend(tmp_path / "empty.onnx", **NAMES)


def test_nothing_is_reported_to_its_makers(tmp_path: Path) -> None:
    model = write_tiny_onnx_model(tmp_path)
    (tmp_path / "home").mkdir()
    env = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    env |= {"HOME": str(tmp_path / "home"), "XDG_CACHE_HOME": str(tmp_path / "home")}
    code = (
        "import sys; from pathlib import Path; from edged.backends.onnxruntime import OnnxRuntimeBackend as Backend;"
        "Backend(Path(sys.argv[1]), input_name='in0', output_names=['out0', 'out1'], input_shape=(3, 5, 7))"
    )
    subprocess.run([sys.executable, "-c", code, str(model)], env=env, check=True, timeout=60)
    assert list((tmp_path / "home").rglob("*")) == []  # where it would keep what it has not sent yet


@pytest.mark.parametrize("damage", [b"", b"\x00" * 100, b"\xff" * 100])
def test_a_damaged_kept_graph_is_made_anew(tmp_path: Path, damage: bytes, caplog: pytest.LogCaptureFixture) -> None:
    path, cache = write_tiny_onnx_model(tmp_path), tmp_path / "cache"
    OnnxRuntimeBackend(path, cache_dir=cache, **NAMES)
    (kept,) = cache.iterdir()
    kept.write_bytes(damage)
    assert _right(OnnxRuntimeBackend(path, cache_dir=cache, **NAMES))
    assert "made anew" in caplog.text
    assert kept.stat().st_size > len(damage)


def test_a_kept_graph_whose_weights_changed_is_made_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path, cache = write_tiny_onnx_model(tmp_path), tmp_path / "cache"
    OnnxRuntimeBackend(path, cache_dir=cache, **NAMES)
    (kept,) = cache.iterdir()
    bias = tiny_weights(0)[1]
    damaged = kept.read_bytes().replace(bias.tobytes(), (bias + 1).tobytes())
    kept.write_bytes(damaged)
    assert not _right(OnnxRuntimeBackend(kept, **NAMES))  # it loads, and nothing else would tell
    assert _right(OnnxRuntimeBackend(path, cache_dir=cache, **NAMES))
    assert "checksum differs" in caplog.text
    assert [each.read_bytes() != damaged for each in cache.iterdir()] == [True]


def test_a_folder_that_cannot_be_written_keeps_nothing_and_harms_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "cache").write_text("a file, no folder")
    backend = OnnxRuntimeBackend(write_tiny_onnx_model(tmp_path), cache_dir=tmp_path / "cache", **NAMES)
    assert _right(backend)
    assert [record.levelno for record in caplog.records if "cannot be kept" in record.message] == [logging.WARNING]


def test_a_wrong_name_or_size_is_refused_with_the_right_one(tmp_path: Path) -> None:
    path = write_tiny_onnx_model(tmp_path)
    with pytest.raises(ModelInvalid, match=r"has the input in0; model.toml says images"):
        OnnxRuntimeBackend(path, **(NAMES | {"input_name": "images"}))
    with pytest.raises(ModelInvalid, match=r"no output boxes; its outputs are out0, out1"):
        OnnxRuntimeBackend(path, **(NAMES | {"output_names": ["boxes"]}))
    with pytest.raises(ModelInvalid, match=r"shape \(1, 3, 5, 7\)"):
        OnnxRuntimeBackend(path, **(NAMES | {"input_shape": (3, 7, 5)}))


def test_an_absent_file_is_said_to_be_absent(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match=r"nowhere.onnx"):
        OnnxRuntimeBackend(tmp_path / "nowhere.onnx", **NAMES)


def test_a_full_memory_is_called_so() -> None:
    error = raised("ONNX Runtime failed on CUDA", RuntimeError("CUDA failure 2: out of memory ; GPU=0"))
    assert isinstance(error, BackendError)
    assert "memory is exhausted" in error.hint


def test_a_model_that_takes_float16_gets_it(tmp_path: Path) -> None:
    backend = OnnxRuntimeBackend(write_tiny_onnx_model(tmp_path, half_input=True), **NAMES)
    blob = np.random.default_rng(1).random(SHAPE, dtype=np.float32)
    for one, exact in zip(backend.infer(blob), tiny_answer(blob), strict=True):
        assert one.dtype == np.float32
        np.testing.assert_allclose(one, exact, atol=2e-3)


class FakeRuntime:
    """ONNX Runtime with OpenVINO, as far as a session is opened with it; `fails` maps providers to what they raise."""

    __version__ = "1.24.1"
    GraphOptimizationLevel = SimpleNamespace(ORT_DISABLE_ALL=0)
    capi = SimpleNamespace(onnxruntime_pybind11_state=SimpleNamespace(Fail=type("Fail", (Exception,), {})))

    def __init__(self, fails: dict[str, Exception], ignores: tuple[str, ...] = ()) -> None:
        self.fails, self.ignores = fails, ignores
        self.asked: list[Any] = []

    def get_available_providers(self) -> list[str]:
        return [OPENVINO, "CPUExecutionProvider"]

    def SessionOptions(self) -> Any:  # noqa: N802 - its name
        return SimpleNamespace(add_session_config_entry=lambda key, value: None)

    def InferenceSession(self, path: str, options: Any, *, providers: list[Any]) -> Any:  # noqa: N802 - its name
        names = [each if isinstance(each, str) else each[0] for each in providers]
        self.asked.append(providers[0])
        if names[0] in self.fails:
            raise self.fails[names[0]]
        taken = [name for name in names if name not in self.ignores]
        return SimpleNamespace(get_providers=lambda: taken, disable_fallback=lambda: None)


def test_a_provider_without_memory_for_the_model_is_passed_over_and_the_processor_takes_it(tmp_path: Path) -> None:
    runtime = FakeRuntime({OPENVINO: RuntimeError("Failed to allocate memory for requested buffer of size 9\nat …")})
    opened = open_session(runtime, tmp_path / "x.onnx", threads=3, cache_dir=None)
    assert opened.provider == "CPUExecutionProvider"
    assert {each.name: each.reason for each in opened.passed_over}[OPENVINO].startswith("Failed to allocate memory")
    assert runtime.asked == [(OPENVINO, {"num_of_threads": "3"}), "CPUExecutionProvider"]


def test_a_provider_that_onnx_runtime_drops_without_a_word_is_noticed(tmp_path: Path) -> None:
    opened = open_session(FakeRuntime({}, ignores=(OPENVINO,)), tmp_path / "x.onnx", threads=1, cache_dir=None)
    assert opened.provider == "CPUExecutionProvider"
    assert "libraries do not load" in {each.name: each.reason for each in opened.passed_over}[OPENVINO]


def test_a_provider_that_works_is_taken(tmp_path: Path) -> None:
    opened = open_session(FakeRuntime({}), tmp_path / "x.onnx", threads=1, cache_dir=None)
    assert opened.provider == OPENVINO
    assert all(each.name != OPENVINO for each in opened.passed_over)


def test_a_model_that_no_provider_takes_is_an_error_with_the_processors_reason(tmp_path: Path) -> None:
    runtime = FakeRuntime({OPENVINO: RuntimeError("no"), "CPUExecutionProvider": ValueError("std::bad_alloc")})
    with pytest.raises(BackendError, match=r"x.onnx: std::bad_alloc(.|\n)*memory is exhausted"):
        open_session(runtime, tmp_path / "x.onnx", threads=1, cache_dir=None)
