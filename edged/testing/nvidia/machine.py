"""A machine with a make-believe GPU: everything that the TensorRT backend asks NVIDIA's libraries for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from edged.testing.ncnn_model import tiny_answer
from edged.testing.nvidia.tensorrt_base import FakeModel


def importer(**modules: Any) -> Callable[[str], Any]:
    """Make an import_module() that knows these modules only, named with _ for a dot."""

    def import_module(name: str) -> Any:
        try:
            return modules[name.replace(".", "_")]
        except KeyError:
            raise ImportError(f"No module named {name!r}") from None

    return import_module


def tiny_model(seed: int = 0, *, shape: tuple[int, int, int] = (3, 5, 7), **facts: Any) -> FakeModel:
    """What the tiny model of that seed is to the fake TensorRT. `shape` is the blob's; -1 is an open side."""
    return FakeModel(
        inputs={"in0": (-1 if -1 in shape else 1, *shape)},
        outputs={"out0": lambda given: (given[0], 4, *given[2:]), "out1": lambda given: (given[0], 4)},
        compute=lambda blob: tiny_answer(blob, seed=seed),
        **facts,
    )
