"""What edged's own side of a frame costs in TensorRT: over the stand-in, with the GPU's work taken out.

The floor is what no backend can save: the picture copied into page-locked memory, and the answer out of it.

    scripts/bench tensorrt_overhead [--size 320] [--rounds 1000] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from edged.backends.tensorrt.backend import TensorRtBackend
from edged.backends.tensorrt.loader import Files
from edged.testing.nvidia.gpu import FakeGpu, Work
from edged.testing.nvidia.machine import tiny_model
from edged.testing.onnx_model import write_tiny_onnx_model
from tests.tensorrt import Machine


class _IdleGpu(FakeGpu):
    """Drops what is queued, instead of doing it."""

    def enqueue(self, handle: int, call: str, work: Work) -> None:
        """Do nothing."""

    def synchronize(self, handle: int) -> None:
        """Do nothing."""


def _median_ms(work: Callable[[], object], rounds: int) -> float:
    taken = []
    for _ in range(rounds):
        began = time.thread_time()
        work()
        taken.append((time.thread_time() - began) * 1e3)
    return statistics.median(taken)


def measure(size: int, rounds: int) -> dict[str, float]:
    """CPU milliseconds of the calling thread, medians."""
    shape = (3, size, size)
    blob, pinned = np.ones(shape, np.float32), np.empty(shape, np.float32)
    answers = [np.empty((4, size, size), np.float32), np.empty((4,), np.float32)]

    def floor() -> None:
        np.copyto(pinned, blob)
        for answer in answers:
            np.array(answer)

    result = {"floor_ms": _median_ms(floor, rounds)}
    with tempfile.TemporaryDirectory() as folder:
        path = write_tiny_onnx_model(Path(folder), shape=shape)
        for cuda in ("pycuda", "cuda-python"):
            machine = Machine(cuda=cuda, gpu=_IdleGpu(), models={path.read_bytes(): tiny_model(shape=shape)})
            backend = TensorRtBackend(
                Files(onnx=path),
                input_name="in0",
                output_names=["out0", "out1"],
                input_shape=shape,
                cache_folder=None,
                libraries=machine.libraries,
            )
            result[f"{cuda}_ms"] = _median_ms(partial(backend.infer, blob), rounds)
            result[f"{cuda}_own_ms"] = result[f"{cuda}_ms"] - result["floor_ms"]
    return result


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=320, help="side of the input in pixels")
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--json", type=Path, help="write the result to this file")
    options = parser.parse_args()
    result = measure(options.size, options.rounds)
    for name, value in result.items():
        print(f"{name:20} {value:.4f}")
    if options.json is not None:
        options.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
