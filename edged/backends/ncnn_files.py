"""Looks into ncnn's two files before ncnn does.

ncnn says little and dies easily: with a wrong blob name or half a .bin it prints to stderr, returns -1, and crashes the
process at the next call; the weights of another model it takes without a word. So the graph is read here, and the
length that the .bin must have is reckoned from it, weight by weight.

Source of both formats: ncnn's wiki, "param and model file structure", and its ModelBin and load_model() functions.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from edged.errors import BackendError, ModelInvalid, ModelNotFound

MAGIC = "7767517"

_HINT = "Copy or export the model anew; .param and .bin must come from one export."


@dataclass(frozen=True, slots=True)
class Layer:
    """One line of a .param file."""

    kind: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    options: dict[int, str]  # by their numbers

    def option(self, number: int, default: int) -> int:
        """Read an option that is a whole number."""
        return int(self.options.get(number, default))


@dataclass(frozen=True, slots=True)
class Graph:
    """A .param file."""

    layers: tuple[Layer, ...]

    def blobs(self) -> set[str]:
        """Every name that a tensor has."""
        return {blob for layer in self.layers for blob in layer.outputs}

    def inputs(self) -> list[str]:
        """Tensors that must be given."""
        return [blob for layer in self.layers if layer.kind == "Input" for blob in layer.outputs]

    def consumers(self, blob: str) -> list[str]:
        """The kinds of the layers that take a tensor."""
        return [layer.kind for layer in self.layers if blob in layer.inputs]

    def outputs(self) -> list[str]:
        """Tensors that no layer takes."""
        taken = {blob for layer in self.layers for blob in layer.inputs}
        return [blob for layer in self.layers for blob in layer.outputs if blob not in taken]


def read_graph(path: Path) -> Graph:
    """Read a .param file (text). Raises ModelNotFound or ModelInvalid."""
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as problem:
        raise ModelInvalid(
            f"{path} is not a text file, as ncnn's .param is.", hint="Perhaps param and bin are swapped in model.toml."
        ) from problem
    except OSError as problem:
        raise ModelNotFound(f"{path} cannot be read: {problem.strerror}.", hint="Copy the file there.") from problem
    lines = text.splitlines()
    if not lines or lines[0].strip() != MAGIC:
        first = lines[0][:40] if lines else ""
        raise ModelInvalid(f"{path} begins with {first!r}; a .param of ncnn begins with {MAGIC}.", hint=_HINT)
    layers = tuple(_read_layer(path, number, line) for number, line in enumerate(lines[2:], 3) if line.strip())
    _check_counts(path, lines[1] if len(lines) > 1 else "", layers)
    return Graph(layers)


def _read_layer(path: Path, number: int, line: str) -> Layer:
    """Kind, name, number of inputs, number of outputs, inputs, outputs, options as N=value."""
    fields = line.split()
    try:
        kind, name, inputs, outputs = fields[0], fields[1], int(fields[2]), int(fields[3])
        pairs = [field.split("=", 1) for field in fields[4 + inputs + outputs :]]
        options = {int(key): value for key, value in pairs}
    except (IndexError, ValueError) as problem:
        raise ModelInvalid(f"{path}, line {number}: {line.strip()[:80]!r} is no layer.", hint=_HINT) from problem
    blobs = tuple(fields[4 : 4 + inputs + outputs])
    if len(blobs) != inputs + outputs or inputs < 0 or outputs < 0 or any("=" in blob for blob in blobs):
        raise ModelInvalid(f"{path}, line {number}: layer {name} names too few tensors.", hint=_HINT)
    return Layer(kind, name, blobs[:inputs], blobs[inputs:], options)


def _check_counts(path: Path, line: str, layers: Sequence[Layer]) -> None:
    """Compare the numbers of layers and tensors with those in the second line."""
    found = f"{len(layers)} {sum(len(layer.outputs) for layer in layers)}"
    if line.split() != found.split():
        raise ModelInvalid(
            f"{path} promises {line.strip() or 'no'} layers and tensors, but holds {found}: it is cut off or edited.",
            hint=_HINT,
        )


def check_files(param: Path, weights: Path, *, input_name: str, output_names: Sequence[str]) -> Graph:
    """Hold both files and the names to each other; return the graph. Raises ModelNotFound or ModelInvalid."""
    graph = read_graph(param)
    if graph.inputs() != [input_name]:
        raise ModelInvalid(
            f"{param} has the input {', '.join(graph.inputs()) or 'nothing'}; model.toml says {input_name}.",
            hint=f'Write input = "{graph.inputs()[0]}" in model.toml.' if graph.inputs() else _HINT,
        )
    missing = [name for name in output_names if name not in graph.blobs()]
    if missing:
        raise ModelInvalid(
            f"{param} has no output {', '.join(missing)}; its outputs are {', '.join(graph.outputs())}.",
            hint="Correct outputs in model.toml, in the order that the head wants.",
        )
    _check_weights(graph, weights)
    return graph


def _check_weights(graph: Graph, path: Path) -> None:
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
            hint=_HINT,
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
        raise ModelInvalid(f"The graph of {path}: layer {layer.name}: {problem}.", hint=_HINT) from problem
    if any(weight.count < 0 for weight in weights):
        raise ModelInvalid(f"The graph of {path}: layer {layer.name} has weights of negative size.", hint=_HINT)
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
                hint=_HINT,
            )
        size = 4 + -(-weight.count * _NUMBER_BYTES[mark] // 4) * 4  # padded to whole words
    if at + size > len(content):
        raise ModelInvalid(
            f"{path} ends at byte {len(content)}, in the middle of the weights of layer {layer.name} "
            f"(at least {at + size} bytes are needed): it is cut off.",
            hint=_HINT,
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


def unusable(path: Path, what: str) -> BackendError:
    """Build the error for files that pass every check here and that ncnn refuses all the same."""
    return BackendError(
        f"ncnn refused {path}: {what}.",
        hint="Its own words are on stderr. An unknown layer needs a newer ncnn; otherwise export the model anew.",
    )
