"""Makes the float32 LiteRT twin of ncnn files, so that the same weights can be compared in all engines."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from edged.backends.ncnn_graph import Layer, read_graph
from edged.testing.litert_writer import VALID, LiteRtWriter

_FLOAT16_MARK = 0x01306B47
_RELU = 1  # schema.ActivationFunctionType


def write_litert_twin(param: Path, weights: Path, path: Path, *, input_shape: tuple[int, int, int]) -> Path:
    """Write `path`: channels last in, the outputs as ncnn gives them out."""
    twin = _Twin(weights.read_bytes(), input_shape)
    graph = read_graph(param)
    for layer in graph.layers:
        getattr(twin, layer.kind.lower())(layer)
    assert twin.at == len(twin.content)
    outputs = [twin.tensors[name] for name in graph.outputs()]
    path.write_bytes(twin.writer.model([twin.tensors[graph.inputs()[0]]], outputs))
    return path


class _Twin:
    """The model as it grows: the number and the shape (H, W, C) of each of ncnn's blobs."""

    def __init__(self, content: bytes, input_shape: tuple[int, int, int]) -> None:
        self.writer = LiteRtWriter()
        self.content, self.at = content, 0
        self.tensors: dict[str, int] = {}
        self.shapes: dict[str, tuple[int, int, int]] = {}
        self._input_shape = input_shape

    def input(self, layer: Layer) -> None:
        channels, height, width = self._input_shape
        name = layer.outputs[0]
        self._keep(name, self.writer.tensor(name, [1, height, width, channels]), (height, width, channels))

    def split(self, layer: Layer) -> None:
        for name in layer.outputs:
            self._keep(name, self.tensors[layer.inputs[0]], self.shapes[layer.inputs[0]])

    def convolution(self, layer: Layer) -> None:
        wide, side, stride, pad = (layer.option(number, 0) for number in (0, 1, 3, 4))
        groups = layer.option(7, 1)
        height, width, channels = self.shapes[layer.inputs[0]]
        now = self.tensors[layer.inputs[0]]
        if pad:
            padding = self.writer.constant([[0, 0], [pad, pad], [pad, pad], [0, 0]])
            now = self.writer.then("PAD", [now, padding], "", [1, height + 2 * pad, width + 2 * pad, channels])
        kernel = self._half(wide * channels // groups * side * side).reshape(wide, channels // groups, side, side)
        bias = self._floats(wide)
        shape = ((height + 2 * pad - side) // stride + 1, (width + 2 * pad - side) // stride + 1, wide)
        activation = layer.option(9, 0)
        options = {"strideW": stride, "strideH": stride, "padding": VALID}
        options["fusedActivationFunction"] = _RELU if activation == 1 else 0
        if groups == 1:
            kind, turned = "CONV_2D", kernel.transpose(0, 2, 3, 1)
        else:
            assert groups == wide == channels
            kind, turned, options["depthMultiplier"] = "DEPTHWISE_CONV_2D", kernel.transpose(1, 2, 3, 0), 1
        inputs = [now, self.writer.constant(np.ascontiguousarray(turned)), self.writer.constant(bias)]
        now = self.writer.then(kind, inputs, "", [1, *shape], options=options)
        if activation == 4:
            now = self.writer.then("LOGISTIC", [now], "", [1, *shape])
        self._keep(layer.outputs[0], now, shape)

    convolutiondepthwise = convolution

    def binaryop(self, layer: Layer) -> None:
        shape = self.shapes[layer.inputs[0]]
        inputs = [self.tensors[name] for name in layer.inputs]
        self._keep(layer.outputs[0], self.writer.then("ADD", inputs, "", [1, *shape]), shape)

    def relu(self, layer: Layer) -> None:
        shape = self.shapes[layer.inputs[0]]
        now = self.writer.then("RELU", [self.tensors[layer.inputs[0]]], "", [1, *shape])
        self._keep(layer.outputs[0], now, shape)

    def concat(self, layer: Layer) -> None:
        height, width, _ = self.shapes[layer.inputs[0]]
        shape = (height, width, sum(self.shapes[name][2] for name in layer.inputs))
        inputs = [self.tensors[name] for name in layer.inputs]
        self._keep(
            layer.outputs[0], self.writer.then("CONCATENATION", inputs, "", [1, *shape], options={"axis": 3}), shape
        )

    def interp(self, layer: Layer) -> None:
        height, width, channels = self.shapes[layer.inputs[0]]
        shape = (round(height * float(layer.options[1])), round(width * float(layer.options[2])), channels)
        inputs = [self.tensors[layer.inputs[0]], self.writer.constant(list(shape[:2]))]
        self._keep(layer.outputs[0], self.writer.then("RESIZE_NEAREST_NEIGHBOR", inputs, "", [1, *shape]), shape)

    def reshape(self, layer: Layer) -> None:
        height, width, channels = self.shapes[layer.inputs[0]]
        assert (layer.option(0, 0), layer.option(1, 0)) == (height * width, channels)
        planes = [self.tensors[layer.inputs[0]], self.writer.constant([0, 3, 1, 2])]
        now = self.writer.then("TRANSPOSE", planes, "", [1, channels, height, width])
        flat = [1, channels, height * width]
        now = self.writer.then("RESHAPE", [now, self.writer.constant(flat)], layer.outputs[0], flat)
        self._keep(layer.outputs[0], now, (1, height * width, channels))

    def _keep(self, name: str, tensor: int, shape: tuple[int, int, int]) -> None:
        self.tensors[name], self.shapes[name] = tensor, shape

    def _half(self, count: int) -> Any:
        assert int.from_bytes(self.content[self.at : self.at + 4], "little") == _FLOAT16_MARK
        numbers = np.frombuffer(self.content, "<f2", count, self.at + 4).astype(np.float32)
        self.at += 4 + math.ceil(count / 2) * 4
        return numbers

    def _floats(self, count: int) -> Any:
        numbers = np.frombuffer(self.content, "<f4", count, self.at)
        self.at += 4 * count
        return numbers
