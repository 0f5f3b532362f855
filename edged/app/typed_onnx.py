"""Writes the ONNX file of a model anew, such that it says in which numbers it computes. Run by scripts/typed_onnx."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edged.capture.image_folder import ImageFolderSource
from edged.clock import SystemClock
from edged.detect.letterbox import Letterbox
from edged.detect.load import load_spec
from edged.detect.spec import ModelSpec
from edged.errors import EdgedError, SourceNotFound
from edged.optimize.typed_onnx import write_float16, write_int8
from edged.ports import EndOfStream

MOST_PICTURES = 300


def write_typed(folder: Path, precision: str, pictures: Path | None = None) -> Path:
    """Write NAME-fp16.onnx or NAME-int8.onnx beside the model's NAME.onnx; return its path.

    `pictures` is a folder of what the camera sees, for int8. Raises EdgedError.
    """
    spec = load_spec(folder)
    source = spec.files("onnx").files["model"]
    target = source.with_name(f"{source.stem}-{precision}.onnx")
    if precision == "fp16":
        write_float16(source, target)
        return target
    if pictures is None:
        raise SourceNotFound(
            "int8 needs pictures to measure on.", hint="--pictures DIR, a hundred of what it will see."
        )
    write_int8(source, target, _blobs(spec, pictures))
    return target


def _blobs(spec: ModelSpec, folder: Path) -> Iterator[npt.NDArray[np.float32]]:
    """Prepare the pictures as the detector does."""
    letterbox = Letterbox(spec.input)
    source = ImageFolderSource(folder, clock=SystemClock())
    source.open()
    try:
        for _ in range(MOST_PICTURES):
            frame = source.read(timeout_s=1.0)
            if frame is not None:
                yield letterbox.blob(frame)[0].copy()
    except EndOfStream:
        return
    finally:
        source.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `scripts/typed_onnx`. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="scripts/typed_onnx", description="Write a model that says its types.")
    parser.add_argument("model", type=Path, metavar="MODEL_DIR", help="a model folder with an [onnx] table")
    parser.add_argument("precision", choices=["fp16", "int8"])
    parser.add_argument("--pictures", type=Path, metavar="DIR", help="for int8: what the camera sees")
    options = parser.parse_args(arguments)
    try:
        target = write_typed(options.model, options.precision, options.pictures)
    except EdgedError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    sys.stdout.write(f'{target} is ready. In {options.model}/model.toml, under [onnx]: model = "{target.name}"\n')
    return 0


if __name__ == "__main__":
    sys.exit(main())
