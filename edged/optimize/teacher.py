"""The teacher: PP-PicoDet-S (Apache-2.0) run through ncnn, its raw answers for every grid cell."""

from __future__ import annotations

from pathlib import Path

import cv2
import ncnn
import numpy as np
import numpy.typing as npt

from edged.domain.frame import BgrImage
from edged.errors import ModelNotFound

MEAN = np.array([123.675, 116.28, 103.53], np.float32)
DEVIATION = np.array([58.395, 57.12, 57.375], np.float32)
LEVELS = 4


class Teacher:
    """PicoDet with four levels (strides 8 to 64) and 8 bins a side: the grid of the student."""

    def __init__(self, folder: Path, *, name: str = "picodet_s_320") -> None:
        """`folder` holds NAME.param and NAME.bin with the blobs in0, out0..3 (scores) and out4..7 (boxes)."""
        self._net = ncnn.Net()
        self._net.opt.num_threads = 1
        self._net.opt.use_fp16_packed = False
        self._net.opt.use_fp16_storage = False
        self._net.opt.use_fp16_arithmetic = False
        self._net.opt.use_bf16_storage = True
        for suffix, load in ((".param", self._net.load_param), (".bin", self._net.load_model)):
            path = folder / f"{name}{suffix}"
            if not path.is_file() or load(str(path)) != 0:
                raise ModelNotFound(
                    f"{path}: no teacher model there", hint="Name the folder with the teacher's .param and .bin."
                )

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
