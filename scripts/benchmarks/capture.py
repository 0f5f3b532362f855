"""What a camera's frame costs before anybody looks at it, and how old it is, beside OpenCV and a bare loop.

On a device the contenders take turns, the same number of frames each; the machine must have a camera, as that
of the laboratory has. The cost is CPU time of this process a frame, with and without the decoding to BGR; the age is
that of the frame that a program gets which is busy for one and a half frames after each, as a detector is. With --fake
the same is asked of a kernel that answers at once: what remains is the cost of Python.

    scripts/bench capture DEVICE [--fourcc YUYV] [--width 640] [--height 480] [--frames 60] [--json FILE]
    scripts/bench capture --fake [--frames 2000] [--json FILE]
"""

from __future__ import annotations

import argparse
import fcntl
import json
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import cv2

from edged.capture.v4l2 import abi, structures
from edged.capture.v4l2.device import Device
from edged.capture.v4l2.kernel import Kernel, LinuxKernel
from edged.capture.v4l2.mode import WantedMode
from edged.capture.v4l2.offers import USUAL_FPS
from edged.capture.v4l2.source import V4l2Source
from edged.capture.v4l2.stream import Stream
from edged.clock import SystemClock
from edged.testing.clock import FakeClock
from edged.testing.v4l2 import FakeKernel
from edged.testing.v4l2_camera import FakeCamera

ROUNDS = 3
BUSY_FRAMES = 1.5

Read = Callable[[], float]
"""Get one frame, let it go, and return its age in seconds."""


@contextmanager
def edged(path: Path, wanted: WantedMode, *, decode: bool) -> Iterator[Read]:
    source = V4l2Source(path, clock=SystemClock(), wanted=wanted)

    def read() -> float:
        frame = source.read(5.0)
        if frame is None:
            raise SystemExit(f"{path} gave no frame for 5 s")
        age = time.monotonic() - frame.captured_at
        if decode:
            frame.image()
        frame.release()
        return age

    with closing(source):
        source.open()
        yield read


@contextmanager
def opencv(path: Path, wanted: WantedMode, *, decode: bool) -> Iterator[Read]:
    capture = cv2.VideoCapture(str(path), cv2.CAP_V4L2)
    capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*(wanted.fourcc or "YUYV")))
    capture.set(cv2.CAP_PROP_FRAME_WIDTH, wanted.width_px or 640)
    capture.set(cv2.CAP_PROP_FRAME_HEIGHT, wanted.height_px or 480)
    capture.set(cv2.CAP_PROP_FPS, USUAL_FPS)

    def read() -> float:
        if not capture.grab():
            raise SystemExit(f"OpenCV gets no frame from {path}")
        age = time.monotonic() - capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
        if decode:
            capture.retrieve()
        return age

    try:
        yield read
    finally:
        capture.release()


@contextmanager
def bare(path: Path, wanted: WantedMode) -> Iterator[Read]:
    """The least that a Python program can do: poll, DQBUF, QBUF; the oldest frame, and nothing looked at."""
    kernel = LinuxKernel()
    with closing(Device(path, kernel)) as device, streaming(device, wanted, kernel) as stream:
        fd, poller, buffer = device.fd, kernel.poller(device.fd), stream.filled

        def read() -> float:
            poller.poll(5000)
            fcntl.ioctl(fd, abi.DQBUF, buffer)
            age = time.monotonic() - (buffer.tv_sec + buffer.tv_usec * 1e-6)
            fcntl.ioctl(fd, abi.QBUF, buffer)
            return age

        yield read


@contextmanager
def streaming(device: Device, wanted: WantedMode, kernel: Kernel) -> Iterator[Stream]:
    mode = device.set_mode(wanted.fourcc, wanted.width_px or 640, wanted.height_px or 480, USUAL_FPS)
    stream = Stream(device, mode, kernel)
    try:
        stream.start()
        yield stream
    finally:
        stream.stop()


def cpu_us(read: Read, frames: int) -> float:
    """CPU microseconds a frame: the median, because a busy or emulated machine disturbs some."""
    took = []
    for _ in range(frames):
        began = time.process_time_ns()
        read()
        took.append((time.process_time_ns() - began) / 1000)
    return statistics.median(took)


def age_ms(read: Read, frames: int) -> float:
    """Median age of the frame that a busy program gets; stamps that lie ahead count as now."""
    began = time.monotonic()
    for _ in range(10):
        read()
    busy_s = BUSY_FRAMES * (time.monotonic() - began) / 10
    ages = []
    for _ in range(frames // 3):
        time.sleep(busy_s)
        ages.append(max(read(), 0.0) * 1000)
    return statistics.median(ages)


def on_device(path: Path, wanted: WantedMode, frames: int) -> dict[str, Any]:
    contenders = {
        "edged": lambda: edged(path, wanted, decode=False),
        "edged, decoded": lambda: edged(path, wanted, decode=True),
        "bare loop": lambda: bare(path, wanted),
        "opencv, grabbed": lambda: opencv(path, wanted, decode=False),
        "opencv, decoded": lambda: opencv(path, wanted, decode=True),
    }
    rounds: dict[str, list[tuple[float, float]]] = {name: [] for name in contenders}
    for _ in range(ROUNDS):
        for name, start in contenders.items():
            with start() as read:
                rounds[name].append((cpu_us(read, frames), age_ms(read, frames)))
    found = {
        name: {"cpu_us": min(cpu for cpu, _ in both), "age_ms": statistics.median(age for _, age in both)}
        for name, both in rounds.items()
    }
    ours, theirs = found["edged"], found["opencv, grabbed"]
    return {
        "contenders": found,
        "cpu_to_bare_loop_us": ours["cpu_us"] - found["bare loop"]["cpu_us"],
        "cpu_of_opencv_grabbed": ours["cpu_us"] / theirs["cpu_us"],
        "cpu_of_opencv_decoded": found["edged, decoded"]["cpu_us"] / found["opencv, decoded"]["cpu_us"],
        "cpu_of_opencv_for_an_undetected_frame": ours["cpu_us"] / found["opencv, decoded"]["cpu_us"],
        "age_of_opencv": ours["age_ms"] / theirs["age_ms"] if theirs["age_ms"] else None,
    }


class QuickKernel(FakeKernel):
    """Has a frame at once, always one."""

    def __init__(self, path: Path) -> None:
        super().__init__({path: FakeCamera()}, clock=FakeClock())
        self._sequence = 0
        self._has_frame = False

    def ioctl(self, fd: int, request: int, argument: Any, /) -> object:
        if request == abi.DQBUF:
            if not self._has_frame:
                raise BlockingIOError
            self._has_frame = False
            self._sequence += 1
            argument.index, argument.sequence, argument.bytesused = self._sequence % 5, self._sequence, 614400
            return 0
        if request == abi.QBUF:
            return 0
        return super().ioctl(fd, request, argument)

    def poll(self, fd: int, timeout_ms: float) -> list[tuple[int, int]]:
        self._has_frame = True
        return [(fd, 1)]


def python_cost(frames: int) -> dict[str, Any]:
    """The source above a loop that makes the same calls to the same kernel; the best of some rounds."""
    path = Path("/dev/video0")
    kernel = QuickKernel(path)
    source = V4l2Source(path, clock=SystemClock(), kernel=kernel)
    source.open()

    def ours() -> float:
        frame = source.read(1.0)
        assert frame is not None
        frame.release()
        return 0.0

    fd, buffer = kernel.open(path), structures.Buffer()
    poller = kernel.poller(fd)

    def calls() -> float:
        poller.poll(1000)
        kernel.ioctl(fd, abi.DQBUF, buffer)
        with suppress(BlockingIOError):
            kernel.ioctl(fd, abi.DQBUF, buffer)
        kernel.ioctl(fd, abi.QBUF, buffer)
        return 0.0

    best = {
        name: min(cpu_us(read, frames) for _ in range(ROUNDS))
        for name, read in {"source": ours, "calls": calls}.items()
    }
    return {**best, "python_us": best["source"] - best["calls"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("device", nargs="?", type=Path)
    parser.add_argument("--fake", action="store_true")
    parser.add_argument("--fourcc", default="YUYV")
    parser.add_argument("--width", type=int, default=640)
    parser.add_argument("--height", type=int, default=480)
    parser.add_argument("--frames", type=int)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if options.fake == bool(options.device):
        parser.error("name a DEVICE, or --fake")
    if options.fake:
        result = python_cost(options.frames or 2000)
    else:
        wanted = WantedMode(options.fourcc, options.width, options.height)
        result = on_device(options.device, wanted, options.frames or 60)
    print(json.dumps(result, indent=2))
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
