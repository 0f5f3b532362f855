"""Models that others publish and that run well in edged: fetched, checked, translated and described.

edged cannot ship their weights. What is pinned here is one file each, by its SHA-256; nothing else is accepted.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import sys
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.error import URLError

from edged.errors import EdgedError, ModelInvalid, ModelNotFound
from edged.optimize.pnnx_tool import translate
from edged.optimize.teacher import ONNX_SHA256, mended

_TIMEOUT_S = 60
_PLACE = "https://raw.githubusercontent.com/hpc203/picodet-onnxruntime/dfe4d6cd0a18cd4126ee381e81df8a0b1e6ad97b/coco/"


@dataclass(frozen=True, slots=True)
class Published:
    """A file on the network."""

    url: str
    sha256: str
    size_px: int


PICODET_S = {
    "picodet-s-320": Published(_PLACE + "picodet_s_320_coco.onnx", ONNX_SHA256, 320),
    "picodet-s-416": Published(
        _PLACE + "picodet_s_416_coco.onnx", "cdab77bdde16e4f76bec734c4e5791801d1739e4c7ec1995e0e110e04300d0c2", 416
    ),
}

# The thresholds were chosen on a street scene: below 0.25 it says some fifty boxes a picture.
_MODEL_TOML = """\
name = "{name}"
licence = "Apache-2.0"
source = "PaddlePaddle/PaddleDetection, PP-PicoDet-S {size_px} (2021.10), by way of {url}"
labels = "coco80"

[input]
width_px = {size_px}
height_px = {size_px}
colour = "rgb"
resize = "stretch"
mean = [123.675, 116.28, 103.53]
scale = [0.017124754, 0.017507003, 0.017429194]

[head]
family = "gfl"
strides = [8, 16, 32, 64]

[thresholds]
nms_iou = 0.6
low_confidence = 0.3
high_confidence = 0.55

[ncnn]
param = "{name}.param"
bin = "{name}.bin"
input = "in0"
outputs = ["out0", "out1", "out2", "out3", "out4", "out5", "out6", "out7"]
"""


def make_folder(name: str, folder: Path, *, onnx: Path | None = None) -> None:
    """Make the model folder of a published model; `onnx` is the file where it was fetched by hand.

    Raises ModelNotFound when it cannot be fetched, ModelInvalid when it is another file than the one that is pinned.
    """
    published = PICODET_S[name]
    with TemporaryDirectory() as scratch:
        path = onnx or _fetch(published.url, Path(scratch) / "model.onnx")
        _check(path, published.sha256)
        folder.mkdir(parents=True, exist_ok=True)
        param = translate(path, folder, name=name, size_px=published.size_px).param
    param.write_text(mended(param.read_text()))
    text = _MODEL_TOML.format(name=name, size_px=published.size_px, url=published.url)
    (folder / "model.toml").write_text(text)


def _fetch(url: str, path: Path) -> Path:
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as answer, path.open("wb") as file:
            shutil.copyfileobj(answer, file)
    except (URLError, OSError) as error:
        raise ModelNotFound(
            f"{url} cannot be fetched: {error}.",
            hint="Fetch it with another machine and name the file with --onnx FILE.",
        ) from error
    return path


def _check(path: Path, sha256: str) -> None:
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise ModelNotFound(f"{path} cannot be read: {error.strerror}.", hint="Name the .onnx file.") from error
    if found != sha256:
        raise ModelInvalid(
            f"{path} is another file than the one that is pinned: its SHA-256 is {found}.", hint=f"Expected {sha256}."
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `scripts/get_model`. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="scripts/get_model", description="Make the folder of a published model.")
    parser.add_argument("name", choices=sorted(PICODET_S))
    parser.add_argument("--out", type=Path, metavar="DIR", help="the model folder to make; default: ./NAME")
    parser.add_argument("--onnx", type=Path, metavar="FILE", help="the published file, where it was fetched by hand")
    options = parser.parse_args(arguments)
    folder = options.out or Path(options.name)
    try:
        make_folder(options.name, folder, onnx=options.onnx)
    except EdgedError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    sys.stdout.write(f"{folder} is ready. Try it: edged models verify {folder.absolute()}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
