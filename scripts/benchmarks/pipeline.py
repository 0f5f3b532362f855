"""What edged costs beside the model's own forward pass and the video decoder, and how much memory it takes.

The whole daemon runs on a recording, every frame detected. The engine and the source are wrapped, so that the CPU time
of their threads inside infer() and inside the decoder is known from the same run, frame for frame; everything else that
the process burns between the first frame and the last is edged's own. What it takes to open the recording and the
database, and to close them, is no frame's: it is printed beside.

    scripts/bench pipeline --model DIR --source CLIP [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import psutil

from edged import app
from edged.capture.open import open_source
from edged.clock import Clock
from edged.config.loader import check_tables
from edged.config.schema import CameraSection
from edged.detect.spec import ModelSpec
from edged.domain.engines import EngineOptions
from edged.domain.frame import Frame
from edged.ports import Backend, Source


@dataclass(slots=True)
class Result:
    """CPU milliseconds are means over all frames."""

    frames: int
    cpu_ms: float  # the whole process, from the first frame to the last
    forward_ms: float  # the model's forward pass, in ncnn
    decode_ms: float  # the video decoder: compressed to YUV
    overhead_ms: float  # the rest, conversion to BGR included: edged
    start_and_stop_ms: float  # of the whole run, not a frame: what comes before the first and after the last
    cpu_ratio_to_floor: float  # whole process to forward pass and decoder
    cpu_ratio_to_forward: float  # whole process to forward pass alone
    rss_mb: float  # resident memory at the end of the run
    wall_ms: float


class TimedBackend:
    """Adds up the CPU time of infer() in the thread that calls it; ncnn runs there with one thread."""

    def __init__(self, inner: Backend) -> None:
        self._inner = inner
        self.seconds = 0.0
        self.calls = 0

    def infer(self, blob: npt.NDArray[np.float32]) -> list[npt.NDArray[np.float32]]:
        began = time.thread_time()
        outputs = self._inner.infer(blob)
        self.seconds += time.thread_time() - began
        self.calls += 1
        return outputs

    def close(self) -> None:
        self._inner.close()


class TimedSource:
    """Adds up the CPU time of read() in the thread that calls it, where the decoder runs.

    Frames are passed on as they are: a wrapper around each cost 0.04 ms, which would count as edged's.
    """

    def __init__(self, inner: Source) -> None:
        self._inner = inner
        self.stats = inner.stats
        self.seconds = 0.0
        self.began = self.ended = 0.0  # CPU time of the process as the first read began, and as the last one ended

    def open(self) -> None:
        self._inner.open()

    def read(self, timeout_s: float) -> Frame | None:
        self.began = self.began or time.process_time()
        began = time.thread_time()
        try:
            frame = self._inner.read(timeout_s)
        finally:
            self.seconds += time.thread_time() - began
            self.ended = time.process_time()
        return frame

    def close(self) -> None:
        self._inner.close()

    def frame_count(self) -> int | None:
        return self._inner.frame_count()


def measure(model: str, source: str) -> Result:
    """Run the daemon once over the recording."""
    backends: list[TimedBackend] = []
    sources: list[TimedSource] = []

    def make_backend(spec: ModelSpec) -> Backend:
        backends.append(TimedBackend(app.make_backend(spec, "ncnn", EngineOptions())))
        return backends[-1]

    def make_source(section: CameraSection, clock: Clock) -> Source:
        sources.append(TimedSource(open_source(section.source, clock=clock, in_real_time=False)))
        return sources[-1]

    with tempfile.TemporaryDirectory() as folder:
        tables = {
            "data_dir": folder,
            "model": {"path": model},
            "scheduler": {"policy": "stride"},
            "camera": [{"name": "bench", "source": source}],
        }
        config = check_tables(tables, name="the benchmark", folder=Path.cwd())
        daemon = app.build(config, detector=app.load_detector(config, make_backend), make_source=make_source)
        warm_up = backends[0].seconds  # the load-time check's inferences
        cpu, wall = time.process_time(), time.perf_counter()
        status = daemon.run()
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        of_frames = sources[0].ended - sources[0].began
    frames = status.cameras[0].frames
    per_frame = 1000 / frames
    forward = (backends[0].seconds - warm_up) * per_frame
    decode = sources[0].seconds * per_frame
    total = of_frames * per_frame
    return Result(
        frames=frames,
        cpu_ms=total,
        forward_ms=forward,
        decode_ms=decode,
        overhead_ms=total - forward - decode,
        start_and_stop_ms=1000 * (cpu - of_frames),
        cpu_ratio_to_floor=total / (forward + decode),
        cpu_ratio_to_forward=total / forward,
        rss_mb=psutil.Process().memory_info().rss / 1e6,
        wall_ms=wall * per_frame,
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--model", default="builtin", help="a model folder, or a name from `edged models list`")
    parser.add_argument("--source", required=True, help="a recording")
    parser.add_argument("--json", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    result = measure(arguments.model, arguments.source)
    for name, value in asdict(result).items():
        print(f"{name:<22}{value:>10.3f}")
    if arguments.json:
        arguments.json.write_text(json.dumps(asdict(result), indent=2) + "\n")


if __name__ == "__main__":
    main()
