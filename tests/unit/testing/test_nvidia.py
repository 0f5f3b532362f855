"""The GPU of make-believe is as unforgiving as a real one, and each version's stand-in has its names alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edged.testing.nvidia.copies import queue_download, queue_upload
from edged.testing.nvidia.gpu import CudaMisuse, FakeGpu, OutOfMemory
from edged.testing.nvidia.libcuda import FakeLibcuda
from edged.testing.nvidia.machine import tiny_model
from edged.testing.nvidia.pycuda import FakePycuda
from edged.testing.nvidia.tensorrt import fake_tensorrt, public_names
from edged.testing.onnx_model import tiny_onnx

VERSIONS = ["8.5.2", "10.3.0", "11.4.1"]


@pytest.fixture
def gpu() -> FakeGpu:
    """A GPU whose context is current on this thread."""
    gpu = FakeGpu()
    gpu.retain()
    gpu.push()
    return gpu


def _engine(trt: Any) -> bytes:
    logger = _logger(trt)
    builder = trt.Builder(logger)
    flags = 1 << int(trt.NetworkDefinitionCreationFlag.EXPLICIT_BATCH) if trt.__version__.startswith("8") else 0
    network = builder.create_network(flags)
    assert trt.OnnxParser(network, logger).parse(tiny_onnx())
    config = builder.create_builder_config()
    config.set_timing_cache(config.create_timing_cache(b""), False)
    return bytes(builder.build_serialized_network(network, config))


def _logger(trt: Any) -> Any:
    """Return the one logger of a module, which must live as long as the module."""
    if "logger_of_this_test" not in vars(trt):
        trt.logger_of_this_test = _make_logger(trt)
    return trt.logger_of_this_test


def _make_logger(trt: Any) -> Any:
    class Logger(trt.ILogger):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.ILogger.__init__(self)
            self._lines: list[str] = []

        def log(self, severity: Any, text: str) -> None:
            self._lines.append(f"{severity.name}: {text}")

    return Logger()


def _context(gpu: FakeGpu, version: str = "10.3.0") -> Any:
    trt = fake_tensorrt(gpu, version, {tiny_onnx(): tiny_model()})
    return trt.Runtime(_logger(trt)).deserialize_cuda_engine(_engine(trt)).create_execution_context()


# Memory, threads and streams


def test_memory_freed_twice_is_a_misuse(gpu: FakeGpu) -> None:
    address = gpu.allocate(16)
    gpu.free(address)
    with pytest.raises(CudaMisuse, match="not allocated"):
        gpu.free(address)


def test_a_call_without_a_context_is_a_misuse() -> None:
    gpu = FakeGpu()
    gpu.retain()
    for call in (lambda: gpu.allocate(16), gpu.make_stream, lambda: gpu.pin(16)):
        with pytest.raises(CudaMisuse, match="without a current context"):
            call()


def test_memory_that_is_not_there_cannot_be_allocated(gpu: FakeGpu) -> None:
    gpu.memory_bytes = 1000
    gpu.allocate(999)
    with pytest.raises(OutOfMemory):
        gpu.allocate(2)


def test_a_context_that_goes_before_its_memory_is_a_misuse(gpu: FakeGpu) -> None:
    gpu.allocate(16)
    with pytest.raises(CudaMisuse, match="1 buffers"):
        gpu.release()


def test_a_context_that_goes_before_tensorrts_objects_is_a_misuse(gpu: FakeGpu) -> None:
    context = _context(gpu)
    with pytest.raises(CudaMisuse, match="before TensorRT's objects"):
        gpu.release()
    del context


def test_a_copy_is_done_when_it_is_waited_for_and_not_before(gpu: FakeGpu) -> None:
    stream, address = gpu.make_stream(), gpu.allocate(4)
    there, array = gpu.pin(4)
    array[:] = 7
    queue_upload(gpu, stream, address, there, 4)
    back, answer = gpu.pin(4)
    queue_download(gpu, stream, back, address, 4)
    assert answer.tolist() == [0xCD] * 4
    gpu.synchronize(stream)
    assert answer.tolist() == [7] * 4


def test_a_copy_from_memory_that_is_not_pinned_is_a_misuse(gpu: FakeGpu) -> None:
    with pytest.raises(CudaMisuse, match="no pinned array"):
        queue_upload(gpu, gpu.make_stream(), gpu.allocate(4), np.zeros(1, np.float32).ctypes.data, 4)


def test_memory_freed_while_a_copy_waits_is_a_misuse(gpu: FakeGpu) -> None:
    stream, address = gpu.make_stream(), gpu.allocate(4)
    queue_upload(gpu, stream, address, gpu.pin(4)[0], 4)
    gpu.free(address)
    with pytest.raises(CudaMisuse, match="no buffer"):
        gpu.synchronize(stream)


def test_the_driver_answers_nothing_before_it_was_started() -> None:
    with pytest.raises(CudaMisuse, match="before cuInit"):
        FakeLibcuda(FakeGpu()).cuDeviceGetCount(None)


def test_pycuda_knows_no_device_before_init() -> None:
    pycuda = FakePycuda(FakeGpu())
    with pytest.raises(pycuda.LogicError):
        pycuda.Device(0)


# TensorRT


@pytest.mark.parametrize("version", VERSIONS)
def test_execution_before_the_addresses_are_set_is_a_misuse(gpu: FakeGpu, version: str) -> None:
    context = _context(gpu, version)
    context.set_tensor_address("in0", gpu.allocate(3 * 5 * 7 * 4))
    with pytest.raises(CudaMisuse, match="before set_tensor_address of out0, out1"):
        context.execute_async_v3(gpu.make_stream())


def test_execution_on_memory_that_is_too_small_is_a_misuse(gpu: FakeGpu) -> None:
    context, stream = _context(gpu), gpu.make_stream()
    for name in ("in0", "out0", "out1"):
        context.set_tensor_address(name, gpu.allocate(8))
    context.execute_async_v3(stream)
    with pytest.raises(CudaMisuse, match="no buffer"):
        gpu.synchronize(stream)


def test_an_unknown_tensor_has_no_address(gpu: FakeGpu) -> None:
    assert _context(gpu).set_tensor_address("boxes", 4096) is False


def test_a_runtime_without_a_driver_is_a_misuse_as_it_crashes_for_real() -> None:
    trt = fake_tensorrt(FakeGpu(), "10.3.0", {})
    with pytest.raises(CudaMisuse, match="Runtime"):
        trt.Runtime(_logger(trt))


@pytest.mark.parametrize(
    ("version", "there", "gone"),
    [
        ("8.5.2", ["IInt8EntropyCalibrator2", "BuilderFlag.FP16"], ["IProgressMonitor", "DataType.INT64"]),
        ("10.3.0", ["IProgressMonitor", "IInt8EntropyCalibrator2"], ["ICudaEngine.get_binding_index"]),
        ("11.4.1", ["IProgressMonitor"], ["IInt8EntropyCalibrator2", "BuilderFlag.INT8"]),
    ],
)
def test_each_version_has_its_own_names(version: str, there: list[str], gone: list[str]) -> None:
    names = public_names(version)
    assert set(there) <= names
    assert not set(gone) & names


def test_what_a_version_lacks_is_an_attribute_error() -> None:
    old, new = fake_tensorrt(FakeGpu(), "8.5.2", {}), fake_tensorrt(FakeGpu(), "11.4.1", {})
    with pytest.raises(AttributeError):
        old.IBuilderConfig().progress_monitor = object()
    with pytest.raises(AttributeError):
        new.IBuilderConfig().int8_calibrator = object()
    with pytest.raises(AttributeError):
        _ = new.BuilderFlag.FP16
    with pytest.raises(AttributeError):
        _ = old.NetworkDefinitionCreationFlag.STRONGLY_TYPED


def test_a_network_of_8_must_be_asked_for_with_explicit_batch() -> None:
    trt = fake_tensorrt(FakeGpu(), "8.6.1", {tiny_onnx(): tiny_model()})
    parser = trt.OnnxParser(trt.Builder(_logger(trt)).create_network(0), _logger(trt))
    assert parser.parse(tiny_onnx()) is False
    assert "EXPLICIT_BATCH" in parser.get_error(0).desc()


def test_a_strongly_typed_network_takes_no_precision_flags() -> None:
    trt = fake_tensorrt(FakeGpu(), "10.3.0", {tiny_onnx(): tiny_model()})
    logger = _logger(trt)
    builder = trt.Builder(logger)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    trt.OnnxParser(network, logger).parse(tiny_onnx())
    config = builder.create_builder_config()
    config.set_flag(trt.BuilderFlag.FP16)
    assert builder.build_serialized_network(network, config) is None
    assert "strongly typed" in logger._lines[-1].lower()


def test_a_logger_that_forgets_its_base_is_refused_as_pybind_does() -> None:
    trt = fake_tensorrt(FakeGpu(), "10.3.0", {})

    class Careless(trt.ILogger):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            pass

    with pytest.raises(TypeError, match="__init__"):
        trt.Builder(Careless())


def test_a_logger_that_goes_before_tensorrts_objects_is_a_misuse() -> None:
    trt = fake_tensorrt(FakeGpu(), "10.3.0", {})
    builder = trt.Builder(_make_logger(trt))
    with pytest.raises(CudaMisuse, match="logger that is gone"):
        builder.say("INFO", "still here")


def test_an_engine_of_another_version_or_gpu_is_none_with_a_word_in_the_log(gpu: FakeGpu) -> None:
    trt = fake_tensorrt(gpu, "10.3.0", {tiny_onnx(): tiny_model()})
    engine = _engine(trt)
    for other, word in (
        (fake_tensorrt(gpu, "10.7.0", {}), "Version tag"),
        (fake_tensorrt(FakeGpu(name="Xavier"), "10.3.0", {}), "incompatible device"),
    ):
        other.world.gpu.retain()
        other.world.gpu.push()
        logger = _logger(other)
        assert other.Runtime(logger).deserialize_cuda_engine(engine) is None
        assert word in logger._lines[-1]
    logger = _logger(trt)
    assert trt.Runtime(logger).deserialize_cuda_engine(engine[:-5]) is None
    assert "Magic tag" in logger._lines[-1]
