"""Writes the ONNX file of a model anew, such that it says in which numbers it computes. Run by scripts/typed_onnx."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edged.backends.onnxruntime import OnnxRuntimeBackend
from edged.capture.image_folder import ImageFolderSource
from edged.clock import SystemClock
from edged.detect.detector import ModelDetector
from edged.detect.letterbox import Letterbox
from edged.detect.load import load_spec
from edged.detect.spec import ModelSpec
from edged.domain import boxes
from edged.domain.detections import Detections
from edged.domain.frame import Frame
from edged.errors import EdgedError, ModelInvalid, SourceNotFound
from edged.optimize.typed_onnx import write_float16, write_int8
from edged.ports import EndOfStream

MEASURED_PICTURES, COMPARED_PICTURES = 300, 50

LEAST_SHARE = 0.8
"""Of the objects that the float32 model is sure of, how many must be found again for a file to be kept."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How many objects were found again."""

    again: int
    there: int

    @property
    def share(self) -> float:
        """0..1; 1 where there was nothing to find."""
        return self.again / self.there if self.there else 1.0

    def __str__(self) -> str:
        """Say it for people."""
        return f"{self.again} of {self.there} objects"


def write_typed(folder: Path, precision: str, pictures: Path | None = None) -> tuple[Path, Agreement | None]:
    """Write NAME-fp16.onnx or NAME-int8.onnx beside the model's NAME.onnx; return its path, and how well it agrees.

    `pictures` is a folder of what the camera sees: int8 is measured on them, and both models are compared on them. A
    file that sees something else than the model that it was made of is removed again. Raises EdgedError.
    """
    spec = load_spec(folder)
    source = spec.files("onnx").files["model"]
    target = source.with_name(f"{source.stem}-{precision}.onnx")
    if pictures is None and precision == "int8":
        raise SourceNotFound(
            "int8 needs pictures to measure on.", hint="--pictures DIR, a hundred of what it will see."
        )
    if precision == "fp16":
        write_float16(source, target)
    elif pictures is not None:
        write_int8(source, target, _blobs(spec, pictures))
    if pictures is None:
        return target, None
    try:
        agreement = compare(spec, source, target, islice(_frames(pictures), COMPARED_PICTURES))
    except EdgedError:
        target.unlink()  # nobody knows whether it is any good
        raise
    if agreement.share < LEAST_SHARE:
        target.unlink()
        raise ModelInvalid(
            f"In {precision}, {source.name} finds {agreement} again: it does not bear so few bits.",
            hint="Use fp16, or train the model for int8." if precision == "int8" else "Leave it in float32.",
        )
    return target, agreement


def compare(spec: ModelSpec, source: Path, target: Path, frames: Iterable[Frame]) -> Agreement:
    """Count which of the objects that one file surely finds in the pictures the other finds too."""
    with closing(_load(spec, source)) as one, closing(_load(spec, target)) as other:
        pairs = [(one.detect(frame), other.detect(frame)) for frame in frames]
    sure = [found.confidence >= spec.thresholds.high_confidence for found, _ in pairs]
    again = [_again(found, seen)[keep].sum() for keep, (found, seen) in zip(sure, pairs, strict=True)]
    return Agreement(int(sum(again)), int(sum(keep.sum() for keep in sure)))


def _again(found: Detections, seen: Detections) -> npt.NDArray[np.bool_]:
    """(N,): is there an object of the same class that overlaps at least by half?"""
    same = found.class_id[:, None] == seen.class_id[None, :]
    matched: npt.NDArray[np.bool_] = (same & (boxes.iou(found.xyxy, seen.xyxy) >= 0.5)).any(axis=1)
    return matched


def _load(spec: ModelSpec, path: Path) -> ModelDetector:
    files = spec.files("onnx")
    backend = OnnxRuntimeBackend(
        path, input_name=files.input_name, output_names=files.output_names, input_shape=files.input_shape
    )
    return ModelDetector(spec.in_format("onnx"), backend)


def _blobs(spec: ModelSpec, folder: Path) -> Iterator[npt.NDArray[np.float32]]:
    """Prepare the pictures as the detector does."""
    letterbox = Letterbox(spec.input)
    for frame in islice(_frames(folder), MEASURED_PICTURES):
        yield letterbox.blob(frame)[0].copy()


def _frames(folder: Path) -> Iterator[Frame]:
    source = ImageFolderSource(folder, clock=SystemClock())
    source.open()
    try:
        while True:
            frame = source.read(timeout_s=1.0)
            if frame is not None:
                yield frame
    except EndOfStream:
        return
    finally:
        source.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `scripts/typed_onnx`. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="scripts/typed_onnx", description="Write a model that says its types.")
    parser.add_argument("model", type=Path, metavar="MODEL_DIR", help="a model folder with an [onnx] table")
    parser.add_argument("precision", choices=["fp16", "int8"])
    parser.add_argument(
        "--pictures",
        type=Path,
        metavar="DIR",
        help="what the camera sees: int8 is measured on it, and both models compared",
    )
    options = parser.parse_args(arguments)
    try:
        target, agreement = write_typed(options.model, options.precision, options.pictures)
    except EdgedError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    if agreement is not None:
        sys.stdout.write(f"It finds {agreement} again that the float32 model is sure of.\n")
    sys.stdout.write(f'{target} is ready. In {options.model}/model.toml, under [onnx]: model = "{target.name}"\n')
    return 0


if __name__ == "__main__":
    sys.exit(main())
