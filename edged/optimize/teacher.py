"""The teacher: PP-PicoDet-S (Apache-2.0) run through ncnn, its raw answers for every grid cell."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import cv2
import ncnn
import numpy as np
import numpy.typing as npt

from edged.domain.frame import BgrImage
from edged.errors import ModelInvalid, ModelNotFound
from edged.optimize.pnnx_tool import translate

MEAN = np.array([123.675, 116.28, 103.53], np.float32)
DEVIATION = np.array([58.395, 57.12, 57.375], np.float32)
LEVELS = 4
NAME = "picodet_s_320"
ONNX_SHA256 = "d7852a1508b36bfc2739770ad52ff28bf81e219dc5c15dd7868d5ebdf007b6c8"


def files_in(folder: Path, *, name: str = NAME) -> tuple[Path, Path]:
    """Where a teacher's .param and .bin lie. Raises ModelNotFound."""
    paths = folder / f"{name}.param", folder / f"{name}.bin"
    for path in paths:
        if not path.is_file():
            raise ModelNotFound(f"{path}: no teacher there", hint="Name the folder with the teacher's .param and .bin.")
    return paths


class Teacher:
    """PicoDet with four levels (strides 8 to 64) and 8 bins a side: the grid of the student."""

    def __init__(self, folder: Path, *, name: str = NAME) -> None:
        """`folder` holds NAME.param and NAME.bin with the blobs in0, out0..3 (scores) and out4..7 (boxes)."""
        self._net = ncnn.Net()
        self._net.opt.num_threads = 1
        self._net.opt.use_fp16_packed = False
        self._net.opt.use_fp16_storage = False
        self._net.opt.use_fp16_arithmetic = False
        self._net.opt.use_bf16_storage = True
        for path, load in zip(files_in(folder, name=name), (self._net.load_param, self._net.load_model), strict=True):
            if load(str(path)) != 0:
                raise ModelInvalid(f"{path} is no file of ncnn's, or a damaged one", hint="Make the folder again.")

    def look(self, image: BgrImage) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Scores (80, A) in 0..1 and box distributions (32, A), each group of 8 summing to 1, of a square image."""
        pixels = (cv2.cvtColor(image, cv2.COLOR_BGR2RGB) - MEAN) / DEVIATION
        blob = np.ascontiguousarray(pixels.transpose(2, 0, 1), np.float32)
        extractor = self._net.create_extractor()
        extractor.input("in0", ncnn.Mat(blob))
        raw = [np.array(extractor.extract(f"out{number}")[1]) for number in range(2 * LEVELS)]
        del extractor
        scores = np.concatenate(raw[:LEVELS]).T
        logits = np.concatenate(raw[LEVELS:]).T.reshape(4, 8, -1)
        weights = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.ascontiguousarray(scores), (weights / weights.sum(axis=1, keepdims=True)).reshape(32, -1)


def import_teacher(onnx: Path, folder: Path) -> None:
    """Translate the published picodet_s_320_coco.onnx into the teacher's two files.

    What pnnx leaves undone is put right in the .param, which is text; see mended(). Raises ModelInvalid for another
    file than the published one, and ExportError.
    """
    found = hashlib.sha256(onnx.read_bytes()).hexdigest()
    if found != ONNX_SHA256:
        raise ModelInvalid(
            f"{onnx} is another file than expected: its SHA-256 is {found}.", hint=f"Expected {ONNX_SHA256}."
        )
    folder.mkdir(parents=True, exist_ok=True)
    files = translate(onnx, folder, name=NAME, size_px=320)
    files.param.write_text(mended(files.param.read_text()))


def mended(param: str) -> str:
    """The text of a PicoDet's .param as pnnx wrote it, with the two upsamplings done and the number of cells left open.

    What follows a pooling over the whole picture is a vector. Its convolution becomes an inner product: ncnn warns of
    the other at every look.
    """
    doubled = re.sub(r"^Resize( .*)$", r"Interp\1 0=1 1=2.0 2=2.0", param, flags=re.MULTILINE)
    opened = re.sub(r"^(Reshape .*) 0=\d+ 1=(80|32)$", r"\1 0=-1 1=\2", doubled, flags=re.MULTILINE)
    vectors: set[str] = set()
    return "".join(_of_vectors(line, vectors) for line in opened.splitlines(keepends=True))


def _of_vectors(line: str, vectors: set[str]) -> str:
    """A line of a .param, its convolution of a vector as the inner product that it is; notes new vectors."""
    kind, *words = line.split() or [""]
    if kind == "Pooling" and "4=1" in words:
        vectors.add(words[4])
    if kind != "Convolution" or words[3] not in vectors:
        return line
    vectors.add(words[4])
    options = dict(word.split("=") for word in words[5:])
    kept = {"0": options["0"], "1": options.get("5", "0"), "2": options["6"]}
    kept |= {key: options[key] for key in ("9", "10") if key in options}  # the activation and its parameters
    return " ".join(["InnerProduct", *words[:5], *(f"{key}={value}" for key, value in kept.items())]) + "\n"
