"""Reckons from the graph how long the .bin of an ncnn model must be, weight by weight.

Source: ncnn's wiki, "param and model file structure", and the load_model() functions of its layers.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from edged.backends.ncnn_graph import HINT, Graph, Layer
from edged.errors import ModelInvalid, ModelNotFound


def check_weights(graph: Graph, path: Path) -> None:
    """Raise ModelInvalid when the .bin at `path` is shorter or longer than the graph takes, or not weights."""
    try:
        content = path.read_bytes()
    except OSError as problem:
        raise ModelNotFound(f"{path} cannot be read: {problem.strerror}.", hint="Copy the file there.") from problem
    at = 0
    for layer in graph.layers:
        if layer.kind not in _WEIGHTS and layer.kind not in _WEIGHTLESS:
            return  # a layer whose weights nobody described here: ncnn itself must judge the rest
        for weight in _weights_of(layer, path):
            at = _skip(content, at, weight, layer, path)
    if at != len(content):
        raise ModelInvalid(
            f"{path} has {len(content)} bytes, but the graph takes {at}: these are the weights of another model.",
            hint=HINT,
        )


@dataclass(frozen=True, slots=True)
class _Weight:
    """So many numbers in the .bin, with a mark of their type in front or without (then float32)."""

    count: int
    marked: bool


def _weights_of(layer: Layer, path: Path) -> list[_Weight]:
    """What a layer takes from the .bin, in order."""
    try:
        weights = list(_WEIGHTS[layer.kind](layer)) if layer.kind in _WEIGHTS else []
    except ValueError as problem:
        raise ModelInvalid(f"The graph of {path}: layer {layer.name}: {problem}.", hint=HINT) from problem
    if any(weight.count < 0 for weight in weights):
        raise ModelInvalid(f"The graph of {path}: layer {layer.name} has weights of negative size.", hint=HINT)
    return weights


_NUMBER_BYTES = {0x00000000: 4, 0x0002C056: 4, 0x01306B47: 2, 0x000D4B38: 1}
"""Mark → bytes a number: float32, float32 never to be made smaller, float16, int8."""


def _skip(content: bytes, at: int, weight: _Weight, layer: Layer, path: Path) -> int:
    """Return where the next weight begins."""
    size = weight.count * 4
    if weight.marked:
        mark = struct.unpack_from("<I", content, at)[0] if at + 4 <= len(content) else 0
        if mark not in _NUMBER_BYTES:
            raise ModelInvalid(
                f"{path}: the weights of layer {layer.name} should begin at byte {at}, but no weights begin there: "
                "the file is damaged, or belongs to another model.",
                hint=HINT,
            )
        size = 4 + -(-weight.count * _NUMBER_BYTES[mark] // 4) * 4  # padded to whole words
    if at + size > len(content):
        raise ModelInvalid(
            f"{path} ends at byte {len(content)}, in the middle of the weights of layer {layer.name} "
            f"(at least {at + size} bytes are needed): it is cut off.",
            hint=HINT,
        )
    return at + size


def _convolution(layer: Layer) -> Iterator[_Weight]:
    if layer.option(19, 0):  # the weights are computed
        return
    outputs, int8 = layer.option(0, 0), layer.option(8, 0)
    yield _Weight(layer.option(6, 0), marked=True)
    if layer.option(5, 0):
        yield _Weight(outputs, marked=False)
    if int8:
        yield _Weight(outputs, marked=False)
        yield _Weight(1, marked=False)
    if int8 > 100:
        yield _Weight(1, marked=False)


def _convolution_depthwise(layer: Layer) -> Iterator[_Weight]:
    if layer.option(19, 0):
        return
    int8 = layer.option(8, 0)
    yield _Weight(layer.option(6, 0), marked=True)
    if layer.option(5, 0):
        yield _Weight(layer.option(0, 0), marked=False)
    if int8:
        yield _Weight(layer.option(7, 1) if int8 % 100 == 1 else 1, marked=False)
        yield _Weight(1, marked=False)
    if int8 > 100:
        yield _Weight(1, marked=False)


def _deconvolution(layer: Layer) -> Iterator[_Weight]:
    if layer.option(28, 0):
        return
    yield _Weight(layer.option(6, 0), marked=True)
    if layer.option(5, 0):
        yield _Weight(layer.option(0, 0), marked=False)


def _inner_product(layer: Layer) -> Iterator[_Weight]:
    outputs = layer.option(0, 0)
    yield _Weight(layer.option(2, 0), marked=True)
    if layer.option(1, 0):
        yield _Weight(outputs, marked=False)
    if layer.option(8, 0):
        yield _Weight(outputs, marked=False)
        yield _Weight(1, marked=False)


def _memory_data(layer: Layer) -> Iterator[_Weight]:
    count = 1
    for option in (0, 1, 2, 11):
        count *= layer.option(option, 0) or 1
    yield _Weight(count, marked=layer.option(21, 1) == 0)


def _batch_norm(layer: Layer) -> Iterator[_Weight]:
    return iter([_Weight(layer.option(0, 0), marked=False)] * 4)


def _prelu(layer: Layer) -> Iterator[_Weight]:
    yield _Weight(layer.option(0, 0), marked=False)


_WEIGHTS: dict[str, Callable[[Layer], Iterator[_Weight]]] = {
    "Convolution": _convolution,
    "ConvolutionDepthWise": _convolution_depthwise,
    "Deconvolution": _deconvolution,
    "DeconvolutionDepthWise": _deconvolution,
    "InnerProduct": _inner_product,
    "MemoryData": _memory_data,
    "BatchNorm": _batch_norm,
    "PReLU": _prelu,
}

_WEIGHTLESS_NAMES = """
    AbsVal BinaryOp Cast Clip Concat Crop Dropout ELU Eltwise ExpandDims Flatten GELU GLU HardSigmoid HardSwish Input
    Interp MatMul Mish Noop Packing Padding Permute PixelShuffle Pooling Power ReLU Reduction Reorg Reshape SELU
    ShuffleChannel Sigmoid Slice Softmax Softplus Split Squeeze Swish TanH Threshold UnaryOp
"""
_WEIGHTLESS = frozenset(_WEIGHTLESS_NAMES.split())
