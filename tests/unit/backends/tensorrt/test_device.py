"""CUDA by way of either library: the same promises, over a GPU of make-believe."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest

from edged.backends.tensorrt.device import Device, open_device
from edged.errors import BackendError, GpuMemoryExhausted
from edged.testing.nvidia.cuda_python import FakeCudaPython
from edged.testing.nvidia.gpu import CudaMisuse, FakeGpu
from edged.testing.nvidia.machine import importer
from edged.testing.nvidia.pycuda import FakePycuda

Open = Callable[[FakeGpu], Device]


@pytest.fixture(params=["pycuda", "cuda-python"])
def open_on(request: pytest.FixtureRequest) -> Open:
    def opened(gpu: FakeGpu) -> Device:
        modules = (
            {"pycuda_driver": FakePycuda(gpu)}
            if request.param == "pycuda"
            else {"cuda_bindings_driver": FakeCudaPython(gpu)}
        )
        device = open_device(importer(**modules))
        assert device.name == request.param
        return device

    return opened


def test_what_goes_up_comes_down_again(open_on: Open) -> None:
    gpu = FakeGpu()
    device = open_on(gpu)
    with device.active():
        there, back = device.pinned((2, 3), np.dtype(np.float16)), device.pinned((2, 3), np.dtype(np.float16))
        there[:] = [[1, 2, 3], [4, 5, 6]]
        address = device.allocate(there.nbytes)
        device.upload(address, there)
        device.download(back, address)
        device.synchronize()
    np.testing.assert_array_equal(back, [[1, 2, 3], [4, 5, 6]])
    del there, back
    device.close()
    assert gpu.idle


def test_a_gpu_without_memory_for_a_stream_is_let_go_of() -> None:
    gpu = FakeGpu(memory_bytes=0)
    with pytest.raises(GpuMemoryExhausted):
        open_device(importer(cuda_bindings_driver=FakeCudaPython(gpu)))
    assert gpu.idle
    assert gpu.retained == 0


def test_an_empty_array_is_allowed(open_on: Open) -> None:
    device = open_on(FakeGpu())
    with device.active():
        assert device.pinned((0, 6), np.dtype(np.float32)).shape == (0, 6)
    device.close()


def test_every_thread_makes_the_context_its_own(open_on: Open) -> None:
    device = open_on(FakeGpu())
    outcome: list[object] = []

    def work() -> None:
        try:
            device.allocate(16)
        except CudaMisuse as misuse:
            outcome.append(misuse)
        with device.active():
            outcome.append(device.allocate(16))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert isinstance(outcome[0], CudaMisuse)
    assert isinstance(outcome[1], int)
    device.close()


def test_exhausted_memory_is_told_from_other_failures(open_on: Open) -> None:
    device = open_on(FakeGpu(memory_bytes=100))
    with device.active(), pytest.raises(GpuMemoryExhausted, match="no memory left"):
        device.allocate(101)
    device.close()


def test_close_may_be_repeated_and_comes_after_a_failure_too(open_on: Open) -> None:
    gpu = FakeGpu()
    device = open_on(gpu)
    with device.active():
        device.allocate(16)
        device.pinned((4,), np.dtype(np.float32))
    device.close()
    device.close()
    assert gpu.idle


def test_a_fault_of_the_gpu_is_told_though_pycuda_meets_it_again_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = FakePycuda(FakeGpu())
    device = open_device(importer(pycuda_driver=driver))

    def pop() -> None:
        raise driver.Error("cuCtxPopCurrent failed: an illegal memory access was encountered")

    monkeypatch.setattr(driver.Context, "pop", pop)
    with pytest.raises(BackendError, match="told first"), device.active():
        raise BackendError("told first", hint="")


def test_two_devices_share_the_primary_context(open_on: Open) -> None:
    gpu = FakeGpu()
    one, other = open_on(gpu), open_on(gpu)
    one.close()
    assert gpu.retained >= 1
    with other.active():
        other.allocate(16)
    other.close()
    assert gpu.idle


def test_pycuda_makes_one_context_for_all_devices_and_cuda_python_releases_what_it_retained() -> None:
    for module, left in ((FakePycuda, 1), (FakeCudaPython, 0)):
        gpu = FakeGpu()
        name = "pycuda_driver" if module is FakePycuda else "cuda_bindings_driver"
        import_module = importer(**{name: module(gpu)})
        for _ in range(3):
            open_device(import_module).close()
        assert gpu.retained == left
        assert gpu.idle


def test_pycuda_comes_first_where_both_are_installed() -> None:
    gpu = FakeGpu()
    both = importer(pycuda_driver=FakePycuda(gpu), cuda_bindings_driver=FakeCudaPython(gpu))
    assert open_device(both).name == "pycuda"


def test_without_either_library_both_are_named() -> None:
    with pytest.raises(BackendError, match=r"pycuda\.driver[^$]*cuda\.bindings\.driver[^$]*pip install"):
        open_device(importer())


def test_a_recording_does_again_what_was_queued() -> None:
    device = open_device(importer(cuda_bindings_driver=FakeCudaPython(FakeGpu())))
    with device.active():
        there, back = device.pinned((4,), np.dtype(np.float32)), device.pinned((4,), np.dtype(np.float32))
        address = device.allocate(16)

        def work() -> None:
            device.upload(address, there)
            device.download(back, address)

        launch = device.record(work)
        assert launch is not None
        for value in (1, 2):
            there[:] = value
            launch()
            device.synchronize()
            assert back.tolist() == [value] * 4
    device.close()


def test_work_that_cannot_be_recorded_leaves_the_stream_usable() -> None:
    device = open_device(importer(cuda_bindings_driver=FakeCudaPython(FakeGpu())))

    def fail() -> None:
        raise BackendError("no", hint="none")

    with device.active():
        assert device.record(fail) is None
        device.synchronize()
    device.close()


def test_a_driver_that_cannot_record_is_no_error() -> None:
    device = open_device(importer(cuda_bindings_driver=FakeCudaPython(FakeGpu(), records=False)))
    with device.active():
        assert device.record(lambda: None) is None
    device.close()
