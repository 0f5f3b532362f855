"""Writes the ONNX twin of ncnn files: a graph of some kilobytes whose weights stay where they are, in ncnn's .bin.

ONNX lets a tensor say "these bytes of that file", and ncnn keeps weights as plain float16 or float32 in the order that
ONNX wants. So a model that ships once runs in both, with the very same numbers.

Sources: ncnn's wiki ("param and model file structure", "operation-param-weight-table"); onnx.proto (external_data).

    python -m edged.optimize.onnx_twin FOLDER   writes NAME.onnx beside the one NAME.param there, and prints its digest
"""

from __future__ import annotations

import hashlib
import re
import struct
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from edged.optimize.pnnx_tool import ExportError

_FLOAT32_TAG, _FLOAT16_TAG = 0, 0x01306B47
_ACTIVATIONS = {1: "Relu", 4: "Sigmoid", 6: "HardSwish"}
_OPSET = 14  # the first with HardSwish; TensorRT 8.5 reads it


@dataclass(frozen=True, slots=True)
class _Layer:
    kind: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    options: Mapping[int, float]

    def number(self, key: int, default: int = 0) -> int:
        return int(self.options.get(key, default))


@dataclass
class _Graph:
    """The ONNX graph as it grows, and how far the weights are read."""

    weights: Path
    nodes: list[Any] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)
    alias: dict[str, str] = field(default_factory=dict)
    at_bytes: int = 0

    def node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> None:
        self.nodes.append(helper.make_node(kind, inputs, [output], name=f"{kind}_{output}", **attributes))

    def constant(self, name: str, values: Any) -> str:
        self.constants.append(onnx.numpy_helper.from_array(np.asarray(values), name))
        return name

    def tagged(self, name: str, shape: tuple[int, ...]) -> str:
        """Weights that say themselves which numbers they are; float16 is made float32 when the graph is loaded."""
        with self.weights.open("rb") as file:
            file.seek(self.at_bytes)
            (tag,) = struct.unpack("<I", file.read(4))
        self.at_bytes += 4
        if tag == _FLOAT32_TAG:
            return self.plain(name, shape)
        if tag != _FLOAT16_TAG:
            raise ExportError(f"{self.weights}: {name} is kept in a way that ONNX has no word for.", hint="Use fp16.")
        size = 2 * int(np.prod(shape))
        self._external(f"{name}_half", TensorProto.FLOAT16, shape, size)
        self.at_bytes += -size % 4
        self.node("Cast", [f"{name}_half"], name, to=TensorProto.FLOAT)
        return name

    def plain(self, name: str, shape: tuple[int, ...]) -> str:
        """float32 weights."""
        self._external(name, TensorProto.FLOAT, shape, 4 * int(np.prod(shape)))
        return name

    def _external(self, name: str, dtype: int, shape: tuple[int, ...], size: int) -> None:
        tensor = TensorProto(name=name, data_type=dtype, dims=shape, data_location=TensorProto.EXTERNAL)
        for key, value in (("location", self.weights.name), ("offset", self.at_bytes), ("length", size)):
            tensor.external_data.add(key=key, value=str(value))
        self.constants.append(tensor)
        self.at_bytes += size


def write_onnx_twin(param: Path, weights: Path, path: Path, *, input_shape: tuple[int, int, int]) -> None:
    """Write `path`, beside `weights`, for a blob of `input_shape` (3, H, W). Raises ExportError for an unknown layer.

    The digest of the weights stands in the graph, so that whoever keeps what was built from it notices other weights.
    """
    layers = _read(param)
    graph = _Graph(weights)
    read = {name for layer in layers for name in layer.inputs}
    inputs = [name for layer in layers if layer.kind == "Input" for name in layer.outputs]
    outputs = [name for layer in layers for name in layer.outputs if name not in read]
    for layer in layers:
        translate = _LAYERS.get(layer.kind)
        if translate is None:
            raise ExportError(f"{param}: no ONNX is known for {layer.kind} ({layer.name}).", hint="Add it here.")
        translate(graph, layer)
    if graph.at_bytes != weights.stat().st_size:
        raise ExportError(f"{weights} is longer than the layers of {param} take.", hint="Export both anew.")
    made = helper.make_model(
        helper.make_graph(
            graph.nodes,
            param.stem,
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, *input_shape]) for name in inputs],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
            graph.constants,
        ),
        producer_name="edged",
        opset_imports=[helper.make_opsetid("", _OPSET)],
        ir_version=8,
    )
    helper.set_model_props(made, {"weights_sha256": hashlib.sha256(weights.read_bytes()).hexdigest()})
    path.write_bytes(onnx.shape_inference.infer_shapes(made).SerializeToString())
    onnx.checker.check_model(str(path))


def _read(param: Path) -> list[_Layer]:
    layers = []
    for line in param.read_text().splitlines()[2:]:
        kind, name, *rest = line.split()
        count_in, count_out = int(rest[0]), int(rest[1])
        blobs, options = rest[2 : 2 + count_in + count_out], rest[2 + count_in + count_out :]
        pairs = dict(option.split("=", 1) for option in options)
        numbers = {int(key): float(value) for key, value in pairs.items() if "," not in value}
        layers.append(_Layer(kind, name, tuple(blobs[:count_in]), tuple(blobs[count_in:]), numbers))
    return layers


def _inputs(graph: _Graph, layer: _Layer) -> list[str]:
    return [graph.alias.get(name, name) for name in layer.inputs]


def _nothing(graph: _Graph, layer: _Layer) -> None:
    """The input is the graph's."""


def _split(graph: _Graph, layer: _Layer) -> None:
    (source,) = _inputs(graph, layer)
    graph.alias.update(dict.fromkeys(layer.outputs, source))


def _convolution(graph: _Graph, layer: _Layer) -> None:
    wide, groups = layer.number(0), layer.number(7, 1)
    kernel = (layer.number(11, layer.number(1)), layer.number(1))
    depth = layer.number(6) // (wide * kernel[0] * kernel[1])
    left, top = layer.number(4), layer.number(14, layer.number(4))
    names = [*_inputs(graph, layer), graph.tagged(f"{layer.name}_weight", (wide, depth, *kernel))]
    if layer.number(5):
        names.append(graph.plain(f"{layer.name}_bias", (wide,)))
    activation = layer.number(9)
    if activation and activation not in _ACTIVATIONS:
        raise ExportError(f"{layer.name} has the activation {activation}.", hint="Add it here.")
    (output,) = layer.outputs
    linear = f"{output}_linear" if activation else output
    graph.node(
        "Conv",
        names,
        linear,
        kernel_shape=kernel,
        strides=(layer.number(13, layer.number(3, 1)), layer.number(3, 1)),
        dilations=(layer.number(12, layer.number(2, 1)), layer.number(2, 1)),
        pads=(top, left, layer.number(16, top), layer.number(15, left)),
        group=groups,
    )
    if activation:
        graph.node(_ACTIVATIONS[activation], [linear], output)


def _add(graph: _Graph, layer: _Layer) -> None:
    if layer.number(0) != 0 or len(layer.inputs) != 2:
        raise ExportError(f"{layer.name} is no sum of two blobs.", hint="Add it here.")
    graph.node("Add", _inputs(graph, layer), layer.outputs[0])


def _concat(graph: _Graph, layer: _Layer) -> None:
    graph.node("Concat", _inputs(graph, layer), layer.outputs[0], axis=1 + layer.number(0))


def _activation(kind: str) -> Callable[[_Graph, _Layer], None]:
    def translate(graph: _Graph, layer: _Layer) -> None:
        graph.node(kind, _inputs(graph, layer), layer.outputs[0])

    return translate


def _enlarge(graph: _Graph, layer: _Layer) -> None:
    if layer.number(0) != 1:
        raise ExportError(f"{layer.name} enlarges otherwise than by the nearest cell.", hint="Add it here.")
    factors = [1, 1, layer.options[1], layer.options[2]]
    scales = graph.constant(f"{layer.name}_scales", np.array(factors, np.float32))
    graph.node(
        "Resize",
        [*_inputs(graph, layer), "", scales],
        layer.outputs[0],
        mode="nearest",
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    )


def _reshape(graph: _Graph, layer: _Layer) -> None:
    sides = [layer.number(key) for key in (2, 1, 0) if key in layer.options]
    shape = graph.constant(f"{layer.name}_shape", np.array([1, *sides], np.int64))
    graph.node("Reshape", [*_inputs(graph, layer), shape], layer.outputs[0])


_LAYERS: Mapping[str, Callable[[_Graph, _Layer], None]] = {
    "Input": _nothing,
    "Split": _split,
    "Convolution": _convolution,
    "ConvolutionDepthWise": _convolution,
    "BinaryOp": _add,
    "ReLU": _activation("Relu"),
    "Sigmoid": _activation("Sigmoid"),
    "HardSwish": _activation("HardSwish"),
    "Concat": _concat,
    "Interp": _enlarge,
    "Reshape": _reshape,
}


def main() -> None:
    """Write the twin of the one .param in a folder whose model.toml names its size, and print its digest."""
    folder = Path(sys.argv[1])
    (param,) = folder.glob("*.param")
    size = _read_size(folder / "model.toml")
    path = param.with_suffix(".onnx")
    write_onnx_twin(param, param.with_suffix(".bin"), path, input_shape=(3, *size))
    sys.stdout.write(f'"{path.name}" = "{hashlib.sha256(path.read_bytes()).hexdigest()}"\n')


def _read_size(model_toml: Path) -> tuple[int, int]:
    """Height and width of the input."""
    found = dict(re.findall(r"^(height_px|width_px) = (\d+)$", model_toml.read_text(), re.MULTILINE))
    return int(found["height_px"]), int(found["width_px"])


if __name__ == "__main__":
    main()
