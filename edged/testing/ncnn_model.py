"""Writes tiny ncnn models, so that the engine and the whole daemon can be tried without real weights."""

from __future__ import annotations

import math
import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt

_FLOAT16_MARK = 0x01306B47

GRAPH = """\
7767517
4 5
Input       in0    0 1 in0
Convolution conv   1 1 in0 a 0=4 1=1 5=1 6=12
Split       twice  1 2 a out0 b
Pooling     pooled 1 1 b out1 0=1 4=1
"""
"""out0 (4, H, W) is a 1 x 1 convolution of in0 (3, H, W); out1 (4,) is its mean over the picture."""

SPOT_PX = 40
"""The side of the bright squares that the bright-spot model finds."""

_SPOT_GRAPH = f"""\
7767517
8 9
Input       in0     0 1 in0
Pooling     around  1 1 in0 a 0=1 1={SPOT_PX} 2=8 3={(SPOT_PX - 8) // 2} 5=1 6=1
Split       twice   1 2 a b c
Convolution box     1 1 b d 0=4 1=1 5=1 6=12
Convolution score   1 1 c e 0=2 1=1 5=1 6=6
Sigmoid     squash  1 1 e f
Concat      both    2 1 d f g 0=0
Reshape     flat    1 1 g out0 0=-1 1=6
"""

_SPOT_TOML = """\
name = "bright-spot"
licence = "Apache-2.0"
source = "edged.testing"
labels = ["person"]

[input]
width_px = 160
height_px = 128
colour = "rgb"
resize = "letterbox"
pad_value = 0
mean = [0, 0, 0]
scale = [0.00392156862745098, 0.00392156862745098, 0.00392156862745098]

[head]
family = "yolox"
strides = [8]

[thresholds]
nms_iou = 0.3
low_confidence = 0.3
high_confidence = 0.5

[ncnn]
param = "spot.param"
bin = "spot.bin"
input = "in0"
outputs = ["out0"]
"""


def write_bright_spot_model(folder: Path) -> Path:
    """Make a model folder that detects bright squares of SPOT_PX on dark ground as "person"; return it.

    Its input is 160 x 128. Each cell of 8 pixels looks at the mean brightness of the SPOT_PX square around it, and its
    box is that square, so a box is off by 4 pixels at most.
    """
    folder.mkdir(parents=True)
    steepness, threshold = 20.0, 0.65
    boxes = np.zeros((4, 3)), np.array([0.5, 0.5, math.log(SPOT_PX / 8), math.log(SPOT_PX / 8)])
    scores = np.array([[steepness / 3] * 3, [0.0] * 3]), np.array([-steepness * threshold, 10.0])
    (folder / "model.toml").write_text(_SPOT_TOML)
    (folder / "spot.param").write_text(_SPOT_GRAPH)
    (folder / "spot.bin").write_bytes(b"".join(_float32_layer(*layer) for layer in (boxes, scores)))
    return folder


def _float32_layer(weights: npt.NDArray[np.float64], bias: npt.NDArray[np.float64]) -> bytes:
    return struct.pack("<I", 0) + weights.astype("<f4").tobytes() + bias.astype("<f4").tobytes()


def write_tiny_ncnn_model(folder: Path, *, seed: int = 0, graph: str = GRAPH) -> tuple[Path, Path]:
    """Write tiny.param and tiny.bin, and return their paths. tiny_answer() tells what the model gives."""
    weights, bias = tiny_weights(seed)
    param, binary = folder / "tiny.param", folder / "tiny.bin"
    param.write_text(graph)
    binary.write_bytes(struct.pack("<I", _FLOAT16_MARK) + weights.astype("<f2").tobytes() + bias.tobytes())
    return param, binary


def tiny_answer(blob: npt.NDArray[np.float32], *, seed: int = 0) -> list[npt.NDArray[np.float32]]:
    """What the model must give for a blob (3, H, W)."""
    weights, bias = tiny_weights(seed)
    mapped = np.einsum("oc,chw->ohw", weights, blob) + bias[:, None, None]
    return [mapped.astype(np.float32), mapped.mean(axis=(1, 2)).astype(np.float32)]


def tiny_weights(seed: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """(4, 3) weights that float16 holds exactly, and (4,) biases."""
    random = np.random.default_rng(seed)
    weights = random.integers(-8, 9, (4, 3)) / 8
    return weights.astype(np.float32), random.integers(-8, 9, 4).astype(np.float32)
