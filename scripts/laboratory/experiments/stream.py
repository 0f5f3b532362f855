"""Reads a camera for a while and says what came, as JSON.

python -m scripts.laboratory.experiments.stream [--device /dev/video0] [--fourcc YUYV] [--size 640x480] [--seconds 10]
"""

from __future__ import annotations

import argparse
import json
import statistics
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from edged.clock import SystemClock
from edged.domain.frame import Frame
from scripts.laboratory.experiments.camera import open_camera

_READ_TIMEOUT_S = 2.0
_LOOK_AT_EVERY = 25  # frames: a picture is decoded now and then to see that it is one


@dataclass(frozen=True)
class Seen:
    """What a reader saw of a stream."""

    mode: str  # what the driver agreed to
    frames: int
    seconds: float
    fps: float
    missed: int  # numbers that the driver's sequence leaves out
    dropped: int  # came, but a newer one was there when the reader got to them
    corrupt: int
    age_ms: float  # median of the frames' ages when they were read; below 0 the driver's stamps lie ahead
    contrast: float  # standard deviation of the pixels of the last picture that was decoded, 0 when all are alike


def watch(device: Path, *, fourcc: str, width_px: int, height_px: int, fps: float, seconds: float) -> Seen:
    """Read for `seconds` seconds, counted from the first frame."""
    clock = SystemClock()
    camera = open_camera(device, clock, fourcc=fourcc, width_px=width_px, height_px=height_px, fps=fps)
    instants: list[float] = []
    ages_s: list[float] = []
    contrast = 0.0
    with closing(camera):
        camera.open()
        while not instants or instants[-1] - instants[0] < seconds:
            frame = camera.read(_READ_TIMEOUT_S)
            if frame is None:
                break
            now = clock.monotonic()
            instants.append(now)
            ages_s.append(now - frame.captured_at)
            if len(instants) % _LOOK_AT_EVERY == 0:
                contrast = _contrast(frame)
            frame.release()
    passed_s = instants[-1] - instants[0]
    return Seen(
        mode=str(camera.mode),
        frames=len(instants),
        seconds=round(passed_s, 2),
        fps=round((len(instants) - 1) / passed_s, 2),
        missed=camera.stats.missed,
        dropped=camera.stats.dropped,
        corrupt=camera.stats.corrupt,
        age_ms=round(statistics.median(ages_s) * 1000, 1),
        contrast=round(contrast, 1),
    )


def _contrast(frame: Frame) -> float:
    return float(frame.image_for(frame.width_px // 4, frame.height_px // 4).std())


def main() -> None:
    """Watch, and print what was seen."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("--device", type=Path, default=Path("/dev/video0"))
    options.add_argument("--fourcc", default="YUYV")
    options.add_argument("--size", default="640x480")
    options.add_argument("--fps", type=float, default=25.0)
    options.add_argument("--seconds", type=float, default=10.0)
    given = options.parse_args()
    width_px, height_px = (int(length) for length in given.size.split("x"))
    seen = watch(
        given.device,
        fourcc=given.fourcc,
        width_px=width_px,
        height_px=height_px,
        fps=given.fps,
        seconds=given.seconds,
    )
    print(json.dumps(asdict(seen)))


if __name__ == "__main__":
    main()
