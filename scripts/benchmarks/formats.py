"""What it costs to get a small picture out of a camera's frame: scaled decode against OpenCV's full decode and resize.

Both take turns on the same frames, one thread, CPU time of the thread; both end with a picture of the detector's size.

    scripts/bench formats [--rounds N] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edged.capture.formats import pixel_decoder

FRAMES = 4
DRAWN_WIDTH_PX = 320

Bytes = npt.NDArray[np.uint8]
FullDecode = Callable[[Bytes], Any]


@dataclass(frozen=True)
class Case:
    """A camera's mode, how a picture gets into it, and how OpenCV gets it out."""

    name: str
    fourcc: str
    width_px: int
    height_px: int
    encode: Callable[[Bytes], Bytes]
    full_decode: FullDecode


@dataclass(frozen=True)
class Result:
    """Medians over the rounds; the ratio is scaled / full."""

    mode: str
    frame_bytes: int
    scaled_ms: float
    full_ms: float
    ratio: float


def scene(width_px: int, height_px: int, seed: int) -> Bytes:
    """Draw blurred blocks in many colours with a little noise, which compress about as a street does."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(0, 256, (height_px // 40, width_px // 40, 3), dtype=np.uint8)
    image = cv2.resize(blocks, (width_px, height_px), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    for _ in range(200):
        at = rng.integers((0, 0), (width_px, height_px))
        colour = tuple(float(part) for part in rng.integers(0, 256, 3))
        cv2.rectangle(image, at.tolist(), (at + rng.integers(4, 60, 2)).tolist(), colour, -1)
    return np.clip(image + rng.normal(0, 3, image.shape), 0, 255).astype(np.uint8)


def mjpeg(sampling: int) -> Callable[[Bytes], Bytes]:
    """Encode in the quality that webcams use, about."""
    options = [cv2.IMWRITE_JPEG_QUALITY, 80, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]

    def encode(image: Bytes) -> Bytes:
        data: Bytes = cv2.imencode(".jpg", image, options)[1].ravel()
        return data

    return encode


def nv12(image: Bytes) -> Bytes:
    """Lay I420's two chroma planes into each other."""
    planar = cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420).ravel()
    pixels = image.shape[0] * image.shape[1]
    return np.concatenate([planar[:pixels], planar[pixels:].reshape(2, -1).T.ravel()])


def cases() -> list[Case]:
    """List the modes that cameras are run in most."""
    jpeg: FullDecode = lambda data: cv2.imdecode(data, cv2.IMREAD_COLOR)  # noqa: E731
    return [
        Case("MJPG 4:2:2", "MJPG", 1280, 720, mjpeg(cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422), jpeg),
        Case("MJPG 4:2:0", "MJPG", 1280, 720, mjpeg(cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420), jpeg),
        Case("MJPG 4:2:2", "MJPG", 640, 480, mjpeg(cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422), jpeg),
        Case(
            "YUYV",
            "YUYV",
            640,
            480,
            lambda image: cv2.cvtColor(image, cv2.COLOR_BGR2YUV_YUY2).ravel(),
            lambda data: cv2.cvtColor(data.reshape(480, 640, 2), cv2.COLOR_YUV2BGR_YUY2),
        ),
        Case(
            "YUYV",
            "YUYV",
            1280,
            720,
            lambda image: cv2.cvtColor(image, cv2.COLOR_BGR2YUV_YUY2).ravel(),
            lambda data: cv2.cvtColor(data.reshape(720, 1280, 2), cv2.COLOR_YUV2BGR_YUY2),
        ),
        Case("NV12", "NV12", 640, 480, nv12, lambda data: cv2.cvtColor(data.reshape(720, 640), cv2.COLOR_YUV2BGR_NV12)),
    ]


def measure(case: Case, rounds: int) -> Result:
    """Let both take turns."""
    frames = [case.encode(scene(case.width_px, case.height_px, seed)) for seed in range(FRAMES)]
    decoder = pixel_decoder(
        case.fourcc,
        width_px=case.width_px,
        height_px=case.height_px,
        stride_bytes=0,
        full_range=False,
        bt709=False,
    )
    drawn = (DRAWN_WIDTH_PX, DRAWN_WIDTH_PX * case.height_px // case.width_px)
    rows = []
    for number in range(rounds):
        data = frames[number % FRAMES]
        marks = [time.thread_time()]
        small = decoder.decode_for([data], *drawn)
        if small.shape[1::-1] != drawn:
            cv2.resize(small, drawn, interpolation=cv2.INTER_LINEAR)
        marks.append(time.thread_time())
        cv2.resize(case.full_decode(data), drawn, interpolation=cv2.INTER_LINEAR)
        marks.append(time.thread_time())
        rows.append((marks[1] - marks[0], marks[2] - marks[1]))
    scaled_ms, full_ms = (statistics.median(column) * 1000 for column in zip(*rows, strict=True))
    return Result(
        mode=f"{case.name} {case.width_px}x{case.height_px} -> {drawn[0]}x{drawn[1]}",
        frame_bytes=sum(frame.size for frame in frames) // FRAMES,
        scaled_ms=round(scaled_ms, 3),
        full_ms=round(full_ms, 3),
        ratio=round(scaled_ms / full_ms, 3),
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers here as well")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    results = [measure(case, options.rounds) for case in cases()]
    for result in results:
        print(
            f"{result.mode:36} {result.frame_bytes:8} bytes  scaled {result.scaled_ms:6.3f} ms  "
            f"full {result.full_ms:6.3f} ms  ratio {result.ratio:.2f}"
        )
    if options.json is not None:
        options.json.write_text(json.dumps([asdict(result) for result in results], indent=2) + "\n")


if __name__ == "__main__":
    main()
