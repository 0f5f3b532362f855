"""ONNX Runtime's execution providers: which are built in, which can work here, and why the others are passed over.

The names and the files of the providers are those of ONNX Runtime 1.17 to 1.32 (onnxruntime/capi of the wheels
onnxruntime, onnxruntime-gpu, onnxruntime-openvino, onnxruntime-qnn).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

CPU = "CPUExecutionProvider"


@dataclass(frozen=True, slots=True)
class Provider:
    """One execution provider."""

    name: str  # as ONNX Runtime calls it
    library: str  # the file in onnxruntime/capi that brings it; CPU needs none
    devices: tuple[str, ...]  # one of these (glob patterns below /) shows that its hardware is here; () asks for none
    package: str  # the wheel that brings it
    options: Mapping[str, str] = field(default_factory=dict)
    threads_option: str = ""  # which of its options says how many threads of the processor it may use


_NVIDIA = ("dev/nvidia0", "dev/nvhost-gpu", "dev/nvgpu/igpu0")

PROVIDERS = (
    Provider("TensorrtExecutionProvider", "libonnxruntime_providers_tensorrt.so", _NVIDIA, "onnxruntime-gpu"),
    Provider("CUDAExecutionProvider", "libonnxruntime_providers_cuda.so", _NVIDIA, "onnxruntime-gpu"),
    Provider(
        "QNNExecutionProvider",
        "libonnxruntime_providers_qnn.so",
        ("dev/fastrpc-cdsp*",),
        "onnxruntime-qnn",
        {"backend_path": "libQnnHtp.so"},
    ),
    Provider(
        "OpenVINOExecutionProvider",
        "libonnxruntime_providers_openvino.so",
        (),
        "onnxruntime-openvino",
        threads_option="num_of_threads",
    ),
)
"""The best first; the processor comes after all of them and is always there."""


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A provider that is not used."""

    name: str
    reason: str


def candidates(available: Collection[str], *, root: Path = Path("/")) -> tuple[list[Provider], list[PassedOver]]:
    """Split the providers into those worth trying, the best first, and those that are not, with the reason.

    `available` is what onnxruntime.get_available_providers() says; `root` is where the device files are looked for.
    """
    taken: list[Provider] = []
    passed: list[PassedOver] = []
    for provider in PROVIDERS:
        if provider.name not in available:
            passed.append(PassedOver(provider.name, f"not in this ONNX Runtime; the package {provider.package} has it"))
        elif not _has_device(provider, root):
            passed.append(PassedOver(provider.name, f"none of {', '.join(_paths(provider))} is there"))
        else:
            taken.append(provider)
    return taken, passed


def installed(capi: Path) -> list[str]:
    """Names of the providers whose library lies in the folder `capi` of the package; nothing is imported for it."""
    return [provider.name for provider in PROVIDERS if (capi / provider.library).is_file()]


def _has_device(provider: Provider, root: Path) -> bool:
    """Whether one of the device files is there."""
    return not provider.devices or any(next(root.glob(pattern), None) for pattern in provider.devices)


def _paths(provider: Provider) -> Iterator[str]:
    return (f"/{pattern}" for pattern in provider.devices)
