"""Writes a tiny ncnn model, so that the engine can be tried without real weights."""

from __future__ import annotations

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


def write_tiny_ncnn_model(folder: Path, *, seed: int = 0, graph: str = GRAPH) -> tuple[Path, Path]:
    """Write tiny.param and tiny.bin, and return their paths. tiny_answer() tells what the model gives."""
    weights, bias = _weights(seed)
    param, binary = folder / "tiny.param", folder / "tiny.bin"
    param.write_text(graph)
    binary.write_bytes(struct.pack("<I", _FLOAT16_MARK) + weights.astype("<f2").tobytes() + bias.tobytes())
    return param, binary


def tiny_answer(blob: npt.NDArray[np.float32], *, seed: int = 0) -> list[npt.NDArray[np.float32]]:
    """What the model must give for a blob (3, H, W)."""
    weights, bias = _weights(seed)
    mapped = np.einsum("oc,chw->ohw", weights, blob) + bias[:, None, None]
    return [mapped.astype(np.float32), mapped.mean(axis=(1, 2)).astype(np.float32)]


def _weights(seed: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """(4, 3) weights that float16 holds exactly, and (4,) biases."""
    random = np.random.default_rng(seed)
    return random.integers(-8, 9, (4, 3)).astype(np.float32) / 8, random.integers(-8, 9, 4).astype(np.float32)
