"""What a detector costs beside the model's forward pass: letterbox, decoding and suppression, one thread.

Letterbox, forward pass and the rest take turns on the same pictures, so that caches are as cold as in the daemon, and
a busy machine disturbs all alike.

    scripts/bench detect --model DIR [--image FILE] [--precision auto|fp32|bf16] [--json FILE]
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import psutil

from edged.backends.ncnn import NcnnBackend, Precision
from edged.detect.detector import ModelDetector
from edged.detect.letterbox import Letterbox
from edged.detect.load import load_spec
from edged.detect.selfcheck import try_model
from edged.detect.spec import ModelSpec
from edged.domain.frame import Frame


@dataclass(slots=True)
class Result:
    """CPU milliseconds of the calling thread are medians over the rounds."""

    model: str
    rounds: int
    load_ms: float  # CPU time of try_model(), imports of ncnn included
    preprocess_ms: float
    forward_ms: float
    whole_ms: float  # detect()
    overhead_ms: float  # whole_ms - forward_ms
    ratio_to_forward: float
    rss_mb: float


def measure(folder: Path, image: npt.NDArray[np.uint8], *, precision: Precision, rounds: int) -> Result:
    """Run the model in `folder` on copies of `image` (H, W, 3), 768 x 576 in what the README quotes."""
    began = time.process_time()
    made: list[NcnnBackend] = []

    def make_backend(spec: ModelSpec) -> NcnnBackend:
        engine = spec.files("ncnn")
        made.append(
            NcnnBackend(
                engine.files["param"],
                engine.files["bin"],
                input_name=engine.input_name,
                output_names=engine.output_names,
                input_shape=spec.input_shape,
                precision=precision,
            )
        )
        return made[0]

    detector = try_model(load_spec(folder), make_backend)
    load_ms = (time.process_time() - began) * 1000
    costs = _take_turns(detector, made[0], [image.copy() for _ in range(8)], rounds)
    preprocess_ms, forward_ms, whole_ms = (statistics.median(column) for column in zip(*costs, strict=True))
    return Result(
        model=detector.spec.name,
        rounds=rounds,
        load_ms=round(load_ms, 1),
        preprocess_ms=round(preprocess_ms, 3),
        forward_ms=round(forward_ms, 2),
        whole_ms=round(whole_ms, 2),
        overhead_ms=round(whole_ms - forward_ms, 2),
        ratio_to_forward=round(whole_ms / forward_ms, 3),
        rss_mb=round(psutil.Process().memory_info().rss / 1e6, 1),
    )


def _take_turns(detector: ModelDetector, backend: NcnnBackend, images: list[Any], rounds: int) -> list[list[float]]:
    """Milliseconds of letterbox, forward pass and whole detection, a row a round."""
    letterbox = Letterbox(detector.spec.input)
    rows = []
    for number in range(rounds):
        image = images[number % len(images)]
        marks = [time.thread_time()]
        blob, _ = letterbox.blob(Frame.of(image))
        marks.append(time.thread_time())
        backend.infer(blob)
        marks.append(time.thread_time())
        detector.detect(Frame.of(images[(number + 1) % len(images)]))
        marks.append(time.thread_time())
        rows.append([(after - before) * 1000 for before, after in itertools.pairwise(marks)])
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="model folder")
    parser.add_argument("--image", type=Path, help="picture; without it a grey one of 768 x 576")
    parser.add_argument("--precision", type=Precision, choices=list(Precision), default=Precision.AUTO)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--json", type=Path, help="write the result to this file")
    options = parser.parse_args()
    image: Any = np.full((576, 768, 3), 114, np.uint8)
    if options.image is not None:
        image = cv2.imread(str(options.image))
        if image is None:
            parser.error(f"{options.image} is no picture")
    result = asdict(measure(options.model, image, precision=options.precision, rounds=options.rounds))
    for name, value in result.items():
        print(f"{name:18} {value}")
    if options.json is not None:
        options.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
