"""Finds out whether a graph was exported for the input size that it is to be given.

A graph of a fixed size writes outside its memory when it gets a smaller picture, and the process dies at load or,
worse, later. So the sizes of the tensors are followed from the input through the layers that convolutional networks
begin with, up to each Reshape that says what it expects. A tensor that comes out of any other layer is unknown, and
so is what follows from it: the check may miss a mistake, but does not invent one.

Source: ncnn's wiki, "operators".
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from pathlib import Path

from edged.backends.ncnn_graph import Graph, Layer
from edged.errors import ModelInvalid

Shape = tuple[int, int, int]
"""Channels, height, width."""

Shapes = list["Shape | None"]


def check_input_size(graph: Graph, path: Path, *, input_name: str, input_shape: Shape) -> None:
    """Raise ModelInvalid when a Reshape of the graph expects another number of elements than `input_shape` leads to."""
    known: dict[str, Shape | None] = {input_name: input_shape}
    for layer in graph.layers:
        inputs = [shape for shape in map(known.get, layer.inputs) if shape is not None]
        if not inputs or len(inputs) < len(layer.inputs):
            continue
        if layer.kind == "Reshape" and not _fits(layer, inputs[0]):
            raise ModelInvalid(
                f"{path} was exported for another input size than {input_shape[2]} x {input_shape[1]}: "
                f"its layer {layer.name} expects another number of elements.",
                hint="Write the size of the export into width_px and height_px of model.toml, or export at this size.",
            )
        known.update(zip(layer.outputs, _follow(layer, inputs), strict=False))


def _follow(layer: Layer, inputs: list[Shape]) -> Shapes:
    """Shapes of what a layer makes; none where that is unknown."""
    try:
        return _RULES[layer.kind](layer, inputs) if layer.kind in _RULES else []
    except (ValueError, ZeroDivisionError):  # an option that is no number, a stride of 0: ncnn must judge
        return []


def _fits(layer: Layer, shape: Shape) -> bool:
    """Can the tensor take the form that a Reshape gives it? 0 there keeps a side, -1 takes what is left."""
    try:
        sides = [layer.option(number, 0) for number in (0, 1, 2, 11) if number in layer.options]
    except ValueError:  # not a number: computed while the model runs
        return True
    total = shape[0] * shape[1] * shape[2]
    if 0 in sides:
        return True
    expected = 1
    for side in sides:
        expected *= abs(side)
    return total % expected == 0 if -1 in sides else total == expected


def _slid(size: int, *, kernel: int, dilation: int, stride: int, pads: int, round_up: bool = False) -> int:
    """How many places a window has along an axis; negative pads mean "as many as keep the size"."""
    if pads < 0:
        return -(-size // stride)
    room = size + pads - dilation * (kernel - 1) - 1
    return (-(-room // stride) if round_up else room // stride) + 1


def _convolution(layer: Layer, inputs: list[Shape]) -> Shapes:
    _, height, width = inputs[0]
    option = layer.option
    kernel, dilation, stride, left = option(1, 0), option(2, 1), option(3, 1), option(4, 0)
    top = option(14, left)
    return [
        (
            option(0, 0),
            _slid(
                height,
                kernel=option(11, kernel),
                dilation=option(12, dilation),
                stride=option(13, stride),
                pads=top + option(16, top),
            ),
            _slid(width, kernel=kernel, dilation=dilation, stride=stride, pads=left + option(15, left)),
        )
    ]


def _pooling(layer: Layer, inputs: list[Shape]) -> Shapes:
    channels, height, width = inputs[0]
    option = layer.option
    if option(4, 0) or option(7, 0) or option(5, 0) > 1:  # over everything, to a given size, or padded by itself
        return [None]
    kernel, stride, left = option(1, 0), option(2, 1), option(3, 0)
    top, up = option(13, left), option(5, 0) == 0
    rows = _slid(
        height,
        kernel=option(11, kernel),
        dilation=1,
        stride=option(12, stride),
        pads=top + option(15, top),
        round_up=up,
    )
    columns = _slid(width, kernel=kernel, dilation=1, stride=stride, pads=left + option(14, left), round_up=up)
    return [(channels, rows, columns)]


def _interp(layer: Layer, inputs: list[Shape]) -> Shapes:
    channels, height, width = inputs[0]
    if 1 not in layer.options or 2 not in layer.options or len(inputs) > 1:
        return [None]
    return [(channels, int(height * float(layer.options[1])), int(width * float(layer.options[2])))]


def _concat(layer: Layer, inputs: list[Shape]) -> Shapes:
    if layer.option(0, 0) != 0:
        return [None]
    return [(sum(shape[0] for shape in inputs), *inputs[0][1:])]


def _slice(layer: Layer, inputs: list[Shape]) -> Shapes:
    channels, height, width = inputs[0]
    sizes = _array(layer, -23300)
    if layer.option(1, 0) != 0 or len(sizes) != len(layer.outputs):
        return [None]
    shapes: Shapes = []
    for number, size in enumerate(sizes):
        # -233 stands for an equal share of the rest
        size = size if size > 0 else ceil(channels / (len(layer.outputs) - number))
        shapes.append((size, height, width))
        channels -= size
    return shapes


def _crop(layer: Layer, inputs: list[Shape]) -> Shapes:
    starts, ends, axes = (_array(layer, option) for option in (-23309, -23310, -23311))
    if not axes or not len(starts) == len(ends) == len(axes) or not set(axes) <= {0, 1, 2}:
        return [None]
    sides = list(inputs[0])
    for start, end, axis in zip(starts, ends, axes, strict=True):
        end = sides[axis] if end == -233 else end  # -233 stands for the end
        if start < 0 or end < start:
            return [None]
        sides[axis] = min(end, sides[axis]) - start
    return [(sides[0], sides[1], sides[2])]


def _array(layer: Layer, number: int) -> list[int]:
    """Read an option that is written as its length and its members."""
    return [int(field) for field in layer.options.get(number, "0").split(",")[1:]]


def _same(layer: Layer, inputs: list[Shape]) -> Shapes:
    return [inputs[0]] * len(layer.outputs)


def _larger(_: Layer, inputs: list[Shape]) -> Shapes:
    return [max(inputs, key=lambda shape: shape[0] * shape[1] * shape[2])]


_RULES: dict[str, Callable[[Layer, list[Shape]], Shapes]] = {
    "Convolution": _convolution,
    "ConvolutionDepthWise": _convolution,
    "Pooling": _pooling,
    "Interp": _interp,
    "Concat": _concat,
    "Slice": _slice,
    "Crop": _crop,
    "BinaryOp": _larger,
    "Split": _same,
    "Swish": _same,
    "HardSwish": _same,
    "ReLU": _same,
    "Sigmoid": _same,
    "HardSigmoid": _same,
    "ShuffleChannel": _same,
}
