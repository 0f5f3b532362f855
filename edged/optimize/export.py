"""From a trained network to the files that ship: onnx, then ncnn through pnnx, then proof that all three agree."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from edged.domain.frame import BgrImage
from edged.optimize.grid import BINS, STRIDES, Floats
from edged.optimize.network import EdgedNano
from edged.optimize.pnnx_tool import ExportError, translate

INPUT = "in0"
OUTPUTS = tuple(f"out{number}" for number in range(2 * len(STRIDES)))


class Deployed(nn.Module):  # type: ignore[misc]
    """A network with only the classes that ship, and outputs as edged's head family `gfl` wants them.

    forward() takes (1, 3, H, W), RGB in 0..1, and returns for each stride scores (1, classes, cells) in 0..1, then for
    each stride box logits (1, 32, cells).
    """

    def __init__(self, network: EdgedNano, rows: Sequence[int]) -> None:
        super().__init__()
        self.network = network
        self.scores = nn.ModuleList([_part(layer, list(rows)) for layer in network.head])
        sides = list(range(network.classes, network.classes + 4 * BINS))
        self.sides = nn.ModuleList([_part(layer, sides) for layer in network.head])
        self.eval()

    def forward(self, x: Any) -> tuple[Any, ...]:
        maps = self.network.features(x)
        scores = [layer(each).sigmoid() for layer, each in zip(self.scores, maps, strict=True)]
        sides = [layer(each) for layer, each in zip(self.sides, maps, strict=True)]
        return tuple(each.reshape(1, each.shape[1], -1) for each in (*scores, *sides))


def _part(layer: Any, rows: list[int]) -> Any:
    """A convolution with only some of the outputs."""
    part = nn.Conv2d(layer.in_channels, len(rows), 1)
    part.weight.data = layer.weight.data[rows].clone()
    part.bias.data = layer.bias.data[rows].clone()
    return part


def write_onnx(model: Deployed, path: Path, *, size_px: int) -> None:
    """Write the model for onnxruntime and others; the size of the picture is left open."""
    with warnings.catch_warnings():  # torch announces that this exporter will go; the new one wants onnxscript
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model,
            (torch.zeros(1, 3, size_px, size_px),),
            str(path),
            input_names=[INPUT],
            output_names=list(OUTPUTS),
            opset_version=13,
            dynamo=False,
        )


def write_ncnn(onnx: Path, folder: Path, *, name: str, size_px: int) -> tuple[Path, Path]:
    """Translate with pnnx into NAME.param and NAME.bin (fp16 weights). Raises ExportError."""
    files = translate(onnx, folder, name=name, size_px=size_px)
    if files.left_out:
        raise ExportError(
            f"pnnx left out a layer of {onnx}: {files.left_out[0]}",
            hint="Use only layers that ncnn has; see the network's first comment.",
        )
    return files.param, files.weights


@dataclass(frozen=True, slots=True)
class Disagreement:
    """The largest differences between two engines over some pictures."""

    score: float  # of a class score, 0..1
    edge_strides: float  # of a box edge where somebody sees something (score over 0.1), in strides


def disagreement(ours: Sequence[tuple[Floats, Floats]], theirs: Sequence[tuple[Floats, Floats]]) -> Disagreement:
    """Compare the raw answers of two engines: scores (classes, A) and edge distances (4, A) in strides, a picture."""
    score = max(float(np.abs(a[0] - b[0]).max()) for a, b in zip(ours, theirs, strict=True))
    edges = [np.abs(a[1] - b[1])[:, a[0].max(axis=0) > 0.1] for a, b in zip(ours, theirs, strict=True)]
    return Disagreement(score, max((float(each.max(initial=0)) for each in edges), default=0.0))


def blob_of(canvas: BgrImage) -> Floats:
    """(3, H, W) RGB in 0..1 of a BGR picture."""
    return np.ascontiguousarray(canvas[..., ::-1].transpose(2, 0, 1).astype(np.float32) / 255)
