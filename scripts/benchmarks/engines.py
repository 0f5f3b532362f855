"""The same model in every engine: average precision, time, how far the boxes lie apart, and what edged's side costs.

All engines look at the same pictures in turn, one thread each, so that a busy machine disturbs all alike. The engine's
own call is timed inside infer(); the rest of infer() is the backend's Python side.

    scripts/bench engines --pictures DIR [--model DIR ...] [--json FILE]

DIR of --pictures holds images/ and labels/ in the YOLO format with COCO's classes, at any depth.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edged.backends.catalogue import all_engines
from edged.backends.choice import AUTO, choose
from edged.detect.catalogue import find_model
from edged.detect.detector import ModelDetector
from edged.detect.load import load_spec
from edged.detect.spec import ModelSpec
from edged.domain import boxes
from edged.domain.detections import Detections
from edged.domain.engines import EngineOptions
from edged.domain.frame import BgrImage, Frame
from edged.optimize.classes import COCO_IDS, KEPT
from edged.optimize.evaluate import average_precision
from edged.optimize.photos import read_image, read_labels
from edged.ports import Backend

SURE = 0.3
"""Objects from this confidence on are compared between engines."""


@dataclass(slots=True)
class Result:
    """CPU milliseconds of the calling thread are medians over the pictures."""

    model: str
    engine: str
    map50: float  # percent
    map50_95: float
    infer_ms: float
    ratio_to_first: float
    overhead_ms: float  # infer() without the engine's own call
    alike: float  # share of the first engine's sure objects that this one has too, within 2 px and 0.02
    edge_px: float  # 95th percentile of the edges' distance, over objects that overlap by 0.5
    confidence: float  # the same of the confidence


class Timed:
    """Stands before an engine's object and adds up what its calls take."""

    def __init__(self, inner: Any, calls: Sequence[str]) -> None:
        self._inner, self._calls = inner, calls
        self.spent_s = 0.0

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._inner, name)
        if name not in self._calls:
            return value

        def call(*arguments: Any, **named: Any) -> Any:
            began = time.thread_time()
            try:
                return value(*arguments, **named)
            finally:
                self.spent_s += time.thread_time() - began

        return call


class TimedNet:
    """Times an ncnn net's extractors, all in one sum."""

    def __init__(self, net: Any) -> None:
        self._net = net
        self.spent_s = 0.0

    def create_extractor(self) -> Any:
        return TimedExtractor(self, self._net.create_extractor())


class TimedExtractor:
    """One extractor of such a net."""

    def __init__(self, net: TimedNet, inner: Any) -> None:
        self._net, self._inner = net, inner

    def input(self, name: str, mat: Any) -> Any:
        return self._inner.input(name, mat)

    def extract(self, name: str) -> Any:
        began = time.thread_time()
        answer = self._inner.extract(name)
        self._net.spent_s += time.thread_time() - began
        return answer


WRAP: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "ncnn": ("_net", TimedNet),
    "onnxruntime": ("_session", lambda session: Timed(session, ("run",))),
    "litert": ("_interpreter", lambda interpreter: Timed(interpreter, ("invoke",))),
}


class Runner:
    """A model in one engine."""

    def __init__(self, spec: ModelSpec, engine: str, backend: Backend) -> None:
        self.engine, self.backend = engine, backend
        self.detector = ModelDetector(spec, self, confidence=0.01)
        self.found: list[Detections] = []
        self.infer_s: list[float] = []
        self.overhead_s: list[float] = []
        self._timed: Any = None
        if engine in WRAP:
            attribute, wrap = WRAP[engine]
            self._timed = wrap(getattr(backend, attribute))
            setattr(backend, attribute, self._timed)

    def infer(self, blob: Any) -> list[Any]:
        spent = self._timed.spent_s if self._timed else 0.0
        began = time.thread_time()
        outputs = self.backend.infer(blob)
        took = time.thread_time() - began
        self.infer_s.append(took)
        if self._timed:
            self.overhead_s.append(took - (self._timed.spent_s - spent))
        return outputs

    def close(self) -> None:
        self.backend.close()


def runners_of(spec: ModelSpec) -> list[Runner]:
    """Load a model into every engine that is here and that it has files for, the best first."""
    candidates = choose(AUTO, all_engines(), spec.formats).candidates
    return [
        Runner(spec.in_format(format_), engine.name, engine.load(spec.files(format_), EngineOptions()))
        for engine, format_ in candidates
    ]


def measure(folder: Path, pictures: Sequence[BgrImage], truth: Sequence[Detections]) -> list[Result]:
    """Run every engine that is here and that the model has files for."""
    spec = load_spec(folder)
    runners = runners_of(spec)
    for image in pictures:
        for runner in runners:
            runner.found.append(runner.detector.detect(Frame.of(image)))
    classes = [coco_ids(label) for label in spec.labels]
    there = [as_classes(each, classes) for each in truth]
    results = [_result(spec, runner, runners[0], there) for runner in runners]
    for runner in runners:
        runner.close()
    return results


def _result(spec: ModelSpec, runner: Runner, first: Runner, truth: Sequence[Detections]) -> Result:
    precision = average_precision(runner.found, truth, len(spec.labels))
    pairs = [pair for one, other in zip(first.found, runner.found, strict=True) for pair in _pairs(one, other)]
    edges, confidences = np.array([pair[:2] for pair in pairs]).reshape(-1, 2).T
    sure = sum(int((found.confidence >= SURE).sum()) for found in first.found)
    infer_ms = statistics.median(runner.infer_s) * 1000
    return Result(
        model=spec.name,
        engine=runner.engine,
        map50=round(precision.map50 * 100, 2),
        map50_95=round(precision.map50_95 * 100, 2),
        infer_ms=round(infer_ms, 2),
        ratio_to_first=round(infer_ms / (statistics.median(first.infer_s) * 1000), 3),
        overhead_ms=round(statistics.median(runner.overhead_s or [0.0]) * 1000, 3),
        alike=round(sum(edge <= 2 and off <= 0.02 for edge, off in pairs) / max(sure, 1), 4),
        edge_px=round(float(np.percentile(edges, 95)), 2),
        confidence=round(float(np.percentile(confidences, 95)), 4),
    )


def _pairs(one: Detections, other: Detections) -> list[tuple[float, float]]:
    """Distance of edges and of confidence, for each sure object of `one` and the most alike object of `other`."""
    overlap = boxes.iou(one.xyxy, other.xyxy)
    overlap[one.class_id[:, None] != other.class_id[None]] = 0
    pairs = []
    for row in np.flatnonzero(one.confidence >= SURE):
        if not len(other) or overlap[row].max() < 0.5:
            continue
        best = int(overlap[row].argmax())
        edge = float(np.abs(one.xyxy[row] - other.xyxy[best]).max())
        pairs.append((edge, abs(float(one.confidence[row] - other.confidence[best]))))
    return pairs


def coco_ids(label: str) -> tuple[int, ...]:
    return KEPT[label][1] if label in KEPT else (COCO_IDS[label],)


def as_classes(truth: Detections, classes: Sequence[Sequence[int]]) -> Detections:
    """The truth in the model's own classes; what it does not know is left out."""
    own = np.full(len(COCO_IDS), -1, np.int32)
    for class_id, ids in enumerate(classes):
        own[list(ids)] = class_id
    renamed = Detections(truth.xyxy, truth.confidence, own[truth.class_id])
    return renamed[renamed.class_id >= 0]


def pictures_of(folder: Path) -> tuple[list[BgrImage], list[Detections]]:
    images, truth = [], []
    for path in sorted((folder / "images").rglob("*.jpg")):
        image = read_image(path)
        labels = folder / "labels" / path.relative_to(folder / "images").with_suffix(".txt")
        xyxy, class_id = read_labels(labels, image.shape[1], image.shape[0])
        images.append(image)
        truth.append(Detections(xyxy, np.ones(len(xyxy), np.float32), class_id))
    return images, truth


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", action="append", default=[], help="model folder; without it the built-in model")
    parser.add_argument("--pictures", type=Path, required=True, help="a folder with images/ and labels/")
    parser.add_argument("--json", type=Path, help="write the result to this file")
    options = parser.parse_args()
    pictures, truth = pictures_of(options.pictures)
    results = []
    for model in options.model or ["builtin"]:
        for result in measure(find_model(model), pictures, truth):
            results.append(asdict(result))
            print("  ".join(f"{key} {value}" for key, value in results[-1].items()), flush=True)
    if options.json is not None:
        options.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
