"""The whole backend over make-believe machines: what is built, kept, read again, refused, and in which order."""

from __future__ import annotations

import json
import struct
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edged.backends.tensorrt.loader import Files
from edged.backends.tensorrt.plan import Precision, Wishes
from edged.errors import BackendError, EdgedError, GpuMemoryExhausted, ModelError, ModelInvalid, ModelNotFound
from edged.ports import Backend
from edged.testing.clock import FakeClock
from edged.testing.ncnn_model import tiny_answer
from edged.testing.nvidia.gpu import FakeGpu
from edged.testing.nvidia.machine import tiny_model
from edged.testing.nvidia.tensorrt_base import FakeModel
from edged.testing.onnx_model import tiny_onnx, write_tiny_onnx_model
from tests.tensorrt import SHAPE, TINY, Machine

VERSIONS = ["8.5.2", "8.6.1", "10.3.0", "11.4.1"]


def _blob(seed: int = 1) -> np.typing.NDArray[np.float32]:
    return np.random.default_rng(seed).random(SHAPE, dtype=np.float32)


def _answers_rightly(backend: Backend, seed: int = 0) -> bool:
    found, expected = backend.infer(_blob()), tiny_answer(_blob(), seed=seed)
    return all(np.allclose(one, other, atol=1e-2) for one, other in zip(found, expected, strict=True))


def _kept(folder: Path) -> list[Path]:
    return sorted((folder / "engines").glob("*.engine"))


def _model(**changes: object) -> dict[bytes, FakeModel]:
    return {tiny_onnx(): replace(tiny_model(), **changes)}  # type: ignore[arg-type]


# What is built and kept


@pytest.mark.parametrize("version", VERSIONS)
def test_an_engine_is_built_once_and_found_by_the_next_start(tmp_path: Path, version: str) -> None:
    machine = Machine(version)
    machine.load_tiny(tmp_path).close()
    backend = machine.load_tiny(tmp_path)
    assert _answers_rightly(backend)
    backend.close()
    assert len(machine.trt.world.builds) == 1
    assert len(_kept(tmp_path)) == 1


def test_an_update_of_tensorrt_builds_again_and_removes_the_old_engine(tmp_path: Path) -> None:
    gpu = FakeGpu()
    Machine("10.3.0", gpu=gpu).load_tiny(tmp_path).close()
    old = _kept(tmp_path)
    new = Machine("10.7.0", gpu=gpu)
    assert _answers_rightly(new.load_tiny(tmp_path))
    assert len(new.trt.world.builds) == 1
    assert len(_kept(tmp_path)) == 1
    assert _kept(tmp_path) != old


def test_another_gpu_and_other_wishes_have_engines_of_their_own(tmp_path: Path) -> None:
    machine = Machine("10.3.0")
    for wishes in (Wishes(), Wishes(Precision.FP32), Wishes(dla_core=0), Wishes(dla_core=1)):
        machine.load_tiny(tmp_path, wishes=wishes).close()
    assert len(_kept(tmp_path)) == 4
    other = Machine("10.3.0", gpu=FakeGpu(name="Xavier", compute_capability=(7, 2)))
    assert _answers_rightly(other.load_tiny(tmp_path))
    assert len(other.trt.world.builds) == 1


def test_a_changed_model_under_the_same_name_is_built_anew(tmp_path: Path) -> None:
    machine = Machine()
    machine.load_tiny(tmp_path, seed=0).close()
    assert _answers_rightly(machine.load_tiny(tmp_path, seed=1), seed=1)
    assert len(machine.trt.world.builds) == 2


def test_changed_weights_in_a_file_beside_the_model_are_built_anew(tmp_path: Path) -> None:
    onnx = tiny_onnx(bias_file="tiny.bin")
    machine = Machine(models={onnx: tiny_model()})
    files = Files(onnx=tmp_path / "tiny.onnx")
    (tmp_path / "tiny.onnx").write_bytes(onnx)
    with pytest.raises(ModelNotFound, match=r"tiny\.bin"):
        machine.load(files, tmp_path / "engines")
    for weights in (bytes(16), bytes(16), b"\1" * 16):
        (tmp_path / "tiny.bin").write_bytes(weights)
        machine.load(files, tmp_path / "engines").close()
    assert len(machine.trt.world.builds) == 2


@pytest.mark.parametrize("damage", ["cut", "empty", "flipped", "foreign"])
def test_a_kept_engine_that_is_damaged_is_built_again(tmp_path: Path, damage: str) -> None:
    machine = Machine()
    machine.load_tiny(tmp_path).close()
    (path,) = _kept(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(
        {"cut": whole[:-3], "empty": b"", "flipped": whole[:-1] + b"?", "foreign": b"ftrt from elsewhere"}[damage]
    )
    assert _answers_rightly(machine.load_tiny(tmp_path))
    assert len(machine.trt.world.builds) == 2
    assert _kept(tmp_path)[0].read_bytes() == whole


def test_a_kept_engine_that_tensorrt_refuses_all_the_same_is_built_again(tmp_path: Path) -> None:
    gpu = FakeGpu()
    Machine(gpu=gpu).load_tiny(tmp_path).close()
    (path,) = _kept(tmp_path)
    machine = Machine(gpu=gpu)
    machine.trt.world.engine_mark = "driver 2"  # as an update of the driver does, which changes no version
    assert _answers_rightly(machine.load_tiny(tmp_path))
    assert len(machine.trt.world.builds) == 1
    assert _kept(tmp_path) == [path]


def test_timings_of_one_build_serve_the_next(tmp_path: Path) -> None:
    machine = Machine()
    machine.load_tiny(tmp_path, seed=0).close()
    machine.load_tiny(tmp_path, seed=1).close()
    (timings,) = (tmp_path / "engines").glob("*.cache")
    assert timings.read_bytes().endswith(b"timings 10.3.0 2")


def test_where_nothing_can_be_kept_the_model_runs_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "engines").write_bytes(b"a file where the folder should be")
    assert _answers_rightly(Machine().load_tiny(tmp_path))


# Flags, shapes, precision


@pytest.mark.parametrize(
    ("version", "flags"),
    [("8.5.2", ["FP16", "TF32"]), ("8.6.1", ["FP16", "TF32"]), ("10.3.0", ["FP16", "TF32"]), ("11.4.1", ["TF32"])],
)
def test_a_float32_model_runs_in_float16_where_tensorrt_may_choose(
    tmp_path: Path, version: str, flags: list[str]
) -> None:
    machine = Machine(version)
    machine.load_tiny(tmp_path)
    assert machine.trt.world.builds == [flags]


@pytest.mark.parametrize("version", VERSIONS)
def test_open_sides_are_fixed_to_the_models_input(tmp_path: Path, version: str) -> None:
    onnx = tiny_onnx(shape=(3, -1, -1))
    machine = Machine(version, models={onnx: tiny_model(shape=(3, -1, -1))})
    path = write_tiny_onnx_model(tmp_path, shape=(3, -1, -1))
    assert _answers_rightly(machine.load(Files(onnx=path), tmp_path / "engines"))


@pytest.mark.parametrize("version", VERSIONS)
def test_an_engine_whose_tensors_are_float16_is_fed_and_read_in_float16(tmp_path: Path, version: str) -> None:
    backend = Machine(version, models=_model(dtype="HALF")).load_tiny(tmp_path)
    assert all(output.dtype == np.float32 for output in backend.infer(_blob()))
    assert _answers_rightly(backend)


def test_an_engine_that_takes_whole_numbers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match="takes int8 numbers"):
        Machine(models=_model(dtype="INT8")).load_tiny(tmp_path)


def test_only_the_named_outputs_are_given_in_the_named_order(tmp_path: Path) -> None:
    backend = Machine().load_tiny(tmp_path, outputs=("out1",))
    np.testing.assert_allclose(backend.infer(_blob())[0], tiny_answer(_blob())[1], atol=1e-5)
    backend = Machine().load_tiny(tmp_path, outputs=("out1", "out0"))
    assert [output.shape for output in backend.infer(_blob())] == [(4,), (4, 5, 7)]


@pytest.mark.parametrize("version", ["8.6.1", "10.3.0"])
def test_a_calibration_cache_makes_int8_of_a_float32_model(tmp_path: Path, version: str) -> None:
    cache = tmp_path / "tiny.calib"
    cache.write_bytes(b"TRT-8501-EntropyCalibration2\n")
    machine = Machine(version)
    files = Files(onnx=write_tiny_onnx_model(tmp_path), calibration=cache)
    wishes = Wishes(Precision.INT8, calibrated=True)
    machine.load(files, tmp_path / "engines", wishes=wishes).close()
    assert machine.trt.world.builds == [["FP16", "INT8", "TF32"]]
    assert machine.trt.world.calibrated_from == [b"TRT-8501-EntropyCalibration2\n"]
    cache.write_bytes(b"other ranges")
    machine.load(files, tmp_path / "engines", wishes=wishes).close()
    assert len(machine.trt.world.builds) == 2


def test_a_missing_calibration_cache_is_named(tmp_path: Path) -> None:
    files = Files(onnx=write_tiny_onnx_model(tmp_path), calibration=tmp_path / "gone.calib")
    with pytest.raises(ModelNotFound, match="gone"):
        Machine().load(files, tmp_path)


@pytest.mark.parametrize("cores", [0, 1])
def test_a_dla_core_that_is_not_there_is_refused(tmp_path: Path, cores: int) -> None:
    with pytest.raises(BackendError, match=r"DLA core 1 was asked for[^$]*Orin Nano"):
        Machine(gpu=FakeGpu(dla_cores=cores)).load_tiny(tmp_path, wishes=Wishes(dla_core=1))


def test_a_model_on_the_dla_is_loaded_onto_the_same_core(tmp_path: Path) -> None:
    machine = Machine()
    assert _answers_rightly(machine.load_tiny(tmp_path, wishes=Wishes(dla_core=1)))
    assert machine.trt.world.builds == [["FP16", "GPU_FALLBACK", "TF32"]]


# Engines that others built


def _ultralytics(engine: bytes) -> bytes:
    metadata = json.dumps({"description": "Ultralytics YOLO26n", "names": {"0": "person"}}).encode()
    return struct.pack("<i", len(metadata)) + metadata + engine


def _engine_file(folder: Path, machine: Machine, *, wrap: bool = True) -> Path:
    """An engine as somebody else on this machine would have built it."""
    machine.load_tiny(folder).close()
    (kept,) = _kept(folder)
    content = kept.read_bytes()
    engine = content[12 + struct.unpack_from("<I", content, 8)[0] :]
    path = folder / "their.engine"
    path.write_bytes(_ultralytics(engine) if wrap else engine)
    kept.unlink()
    return path


@pytest.mark.parametrize("wrap", [True, False])
def test_an_engine_of_ultralytics_or_a_bare_one_is_run_without_building(tmp_path: Path, wrap: bool) -> None:
    machine = Machine()
    path = _engine_file(tmp_path, machine, wrap=wrap)
    backend = machine.load(Files(engine=path), tmp_path / "engines")
    assert _answers_rightly(backend)
    assert len(machine.trt.world.builds) == 1
    assert _kept(tmp_path) == []


def test_a_foreign_engine_is_refused_with_words_where_there_is_no_onnx_file(tmp_path: Path) -> None:
    path = _engine_file(tmp_path, Machine("8.6.1"))
    with pytest.raises(BackendError, match=r"10\.3\.0 does not take the engine .*Version tag[^$]*Put the ONNX file"):
        Machine("10.3.0").load(Files(engine=path), tmp_path / "engines")


@pytest.mark.parametrize("damage", ["foreign", "cut", "empty", "cut description"])
def test_a_foreign_or_damaged_engine_is_built_from_the_onnx_file(tmp_path: Path, damage: str) -> None:
    path = _engine_file(tmp_path, Machine("8.6.1"))
    whole = path.read_bytes()
    path.write_bytes({"foreign": whole, "cut": whole[:-9], "empty": b"", "cut description": whole[:20]}[damage])
    machine = Machine("10.3.0")
    backend = machine.load(Files(engine=path, onnx=tmp_path / "tiny.onnx"), tmp_path / "engines")
    assert _answers_rightly(backend)
    assert len(machine.trt.world.builds) == 1
    assert len(_kept(tmp_path)) == 1


def test_an_engine_with_other_names_is_refused_with_those_it_has(tmp_path: Path) -> None:
    machine = Machine()
    path = _engine_file(tmp_path, machine)
    with pytest.raises(BackendError, match=r"takes in0 and gives out0, out1; model\.toml says in0 and boxes"):
        machine.load(Files(engine=path), tmp_path, outputs=("boxes",))


def test_an_engine_of_another_size_is_refused_with_both_sizes(tmp_path: Path) -> None:
    onnx = tiny_onnx(shape=(3, 6, 7))
    machine = Machine(models={**TINY, onnx: tiny_model(shape=(3, 6, 7))})
    path = _engine_file(tmp_path, machine)
    path.write_bytes(path.read_bytes().replace(_digest(tiny_onnx()), _digest(onnx)))
    with pytest.raises(BackendError, match="takes 1 x 3 x 6 x 7; model"):
        machine.load(Files(engine=path), tmp_path)


def _digest(onnx: bytes) -> bytes:
    import hashlib

    return hashlib.sha256(onnx).hexdigest().encode()


def test_a_model_with_nothing_to_load_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelInvalid, match="neither"):
        Machine().load(Files(), tmp_path)


# What goes wrong


def test_an_onnx_file_that_tensorrt_does_not_understand_is_refused_with_its_words(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match=r"does not understand .*tiny\.onnx: Failed to parse"):
        Machine(models={}).load_tiny(tmp_path)


def test_a_network_that_cannot_be_built_is_refused_with_tensorrts_words(tmp_path: Path) -> None:
    model = _model(types=frozenset({"INT8"}))  # says by its operators what the file here does not
    with pytest.raises(BackendError, match=r"cannot build .*tiny\.onnx: The network has tensors of INT8"):
        Machine("10.3.0", models=model).load_tiny(tmp_path)


def test_a_build_that_runs_out_of_memory_is_tried_with_a_smaller_workspace(tmp_path: Path) -> None:
    machine = Machine(gpu=FakeGpu(memory_bytes=600 << 20))  # a workspace of 1024 MiB does not fit
    assert _answers_rightly(machine.load_tiny(tmp_path))
    assert machine.trt.world.workspaces == [1 << 30, 1 << 28]


def test_a_gpu_that_is_too_small_for_any_workspace_says_so(tmp_path: Path) -> None:
    machine = Machine(gpu=FakeGpu(memory_bytes=10 << 20))
    with pytest.raises(GpuMemoryExhausted, match=r"does not suffice[^$]*Close what else"):
        machine.load_tiny(tmp_path)
    assert machine.gpu.idle


@pytest.mark.parametrize("lever", ["engine_needs_bytes", "context_needs_bytes"])
def test_memory_that_does_not_suffice_to_load_is_no_reason_to_build_again(tmp_path: Path, lever: str) -> None:
    machine = Machine()
    machine.load_tiny(tmp_path).close()
    setattr(machine.trt.world, lever, 1 << 40)
    with pytest.raises(GpuMemoryExhausted, match="no memory left"):
        machine.load_tiny(tmp_path)
    assert len(machine.trt.world.builds) == 1
    assert len(_kept(tmp_path)) == 1
    assert machine.gpu.idle


@pytest.mark.parametrize("cuda", ["pycuda", "cuda-python"])
def test_an_inference_that_fails_is_an_error_with_tensorrts_words(tmp_path: Path, cuda: str) -> None:
    machine = Machine(gpu=FakeGpu(fails_at=frozenset({1})), cuda=cuda)
    backend = machine.load_tiny(tmp_path)
    with pytest.raises(BackendError, match="illegal memory access"):
        backend.infer(_blob())
    assert _answers_rightly(backend)
    backend.close()


@pytest.mark.parametrize("cuda", ["pycuda", "cuda-python"])
def test_after_a_fault_of_the_gpu_every_frame_is_an_error_and_closing_is_none(
    tmp_path: Path, cuda: str, caplog: pytest.LogCaptureFixture
) -> None:
    machine = Machine(cuda=cuda)
    backend = machine.load_tiny(tmp_path)
    assert _answers_rightly(backend)
    machine.gpu.broken = True
    for _ in range(3):
        with pytest.raises(BackendError, match="CUDA failed"):
            backend.infer(_blob())
    backend.close()
    backend.close()
    assert cuda == "pycuda" or "does not free" in caplog.text


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n", bytes(1000), b"\xff" * 44, tiny_onnx()[:60]])
def test_garbage_files_give_an_error_that_names_the_file(tmp_path: Path, content: bytes) -> None:
    onnx, engine = tmp_path / "tiny.onnx", tmp_path / "tiny.engine"
    onnx.write_bytes(content)
    engine.write_bytes(content)
    for files in (Files(onnx=onnx), Files(engine=engine), Files(onnx=onnx, engine=engine)):
        with pytest.raises(ModelError, match="tiny"):
            Machine().load(files, tmp_path / "engines")


def test_files_are_looked_at_before_any_library_is_asked_for(tmp_path: Path) -> None:
    machine = Machine()
    (tmp_path / "tiny.onnx").write_bytes(b"")
    with pytest.raises(ModelInvalid):
        machine.load(Files(onnx=tmp_path / "tiny.onnx"), tmp_path)
    assert machine.gpu.journal == []


def test_an_old_tensorrt_is_refused_and_lets_go_of_the_gpu(tmp_path: Path) -> None:
    machine = Machine("8.4.1")
    with pytest.raises(BackendError, match="too old"):
        machine.load_tiny(tmp_path)
    assert machine.gpu.idle


# A frame's work


def _calls(machine: Machine, backend: Backend) -> list[str]:
    before = len(machine.gpu.journal)
    backend.infer(_blob())
    return machine.gpu.journal[before:]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_frame_is_a_copy_an_execution_two_copies_and_one_wait_and_allocates_nothing(
    tmp_path: Path, version: str
) -> None:
    machine = Machine(version)
    backend = machine.load_tiny(tmp_path)
    used = machine.gpu.used_bytes
    for _ in range(3):
        assert _calls(machine, backend) == ["upload", "execute", "download", "download", "synchronize"]
    assert machine.gpu.used_bytes == used


def test_with_cuda_python_the_second_frame_is_recorded_and_the_others_launched(tmp_path: Path) -> None:
    machine = Machine(cuda="cuda-python")
    backend = machine.load_tiny(tmp_path)
    executions = []
    for seed in range(5):
        found = backend.infer(_blob(seed))
        np.testing.assert_allclose(found[0], tiny_answer(_blob(seed))[0], atol=1e-5)
        executions.append(machine.gpu.executions)
    assert executions == [1, 2, 2, 2, 2]  # TensorRT itself is called twice; the graph does the rest
    backend.close()


def test_a_driver_that_cannot_record_runs_frame_by_frame(tmp_path: Path) -> None:
    machine = Machine(cuda="cuda-python", records=False)
    backend = machine.load_tiny(tmp_path)
    assert all(_answers_rightly(backend) for _ in range(4))
    assert machine.gpu.executions == 4


@pytest.mark.parametrize("cuda", ["pycuda", "cuda-python"])
def test_a_model_loaded_on_one_thread_runs_and_closes_on_another(tmp_path: Path, cuda: str) -> None:
    machine = Machine(cuda=cuda)
    backend = machine.load_tiny(tmp_path)
    right: list[bool] = []

    def work() -> None:
        right.extend(_answers_rightly(backend) for _ in range(3))
        backend.close()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert right == [True] * 3
    assert machine.gpu.idle


@pytest.mark.parametrize("cuda", ["pycuda", "cuda-python"])
@pytest.mark.parametrize("version", VERSIONS)
def test_closing_leaves_nothing_on_the_gpu(tmp_path: Path, cuda: str, version: str) -> None:
    machine = Machine(version, cuda=cuda)  # the fake itself refuses a wrong order
    one, other = machine.load_tiny(tmp_path, 0), machine.load_tiny(tmp_path, 1)
    for backend in (one, other):
        for _ in range(3):
            backend.infer(_blob())
        backend.close()
    assert machine.gpu.idle
    assert machine.gpu.retained == (1 if cuda == "pycuda" else 0)  # pycuda's stays for the process


@pytest.mark.parametrize("cuda", ["pycuda", "cuda-python"])
def test_a_load_that_fails_half_way_leaves_nothing_on_the_gpu(tmp_path: Path, cuda: str) -> None:
    machine = Machine(cuda=cuda, gpu=FakeGpu(memory_bytes=8 << 30))
    path = _engine_file(tmp_path, machine)
    for outputs in (("boxes",), ("out0", "boxes")):
        with pytest.raises(EdgedError):
            machine.load(Files(engine=path), tmp_path, outputs=outputs)
        assert machine.gpu.idle
        assert machine.gpu.retained == (1 if cuda == "pycuda" else 0)


# Progress


@pytest.mark.parametrize("version", VERSIONS)
def test_a_build_tells_that_it_lives_and_a_kept_engine_has_nothing_to_tell(tmp_path: Path, version: str) -> None:
    machine, told = Machine(version), list[str]()

    def load() -> None:
        machine.load_tiny(tmp_path, on_progress=lambda progress: told.append(str(progress)), clock=FakeClock()).close()

    load()
    assert told == (["building"] if version.startswith("8") else ["Building engine 0/2"])
    load()
    assert len(told) == 1
