"""Looks into an ONNX file before TensorRT does: which tensors go in and out, and in which numbers it computes.

Building an engine takes minutes; a wrong name should not cost them. And which way an engine is built depends on whether
the file already says its types.

Source: onnx.proto, the messages ModelProto, GraphProto, NodeProto, TensorProto and ValueInfoProto.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edged.backends.names import check_names
from edged.backends.tensorrt.protobuf import NotProtobuf, fields
from edged.errors import ModelInvalid, ModelNotFound

FLOAT16 = 10  # TensorProto.DataType

HINT = "Export the model to ONNX anew, or copy the file again."


@dataclass(frozen=True, slots=True)
class OnnxTensor:
    """An input or output of the graph."""

    name: str
    shape: tuple[int, ...]  # -1 where the file leaves a side open


@dataclass(frozen=True, slots=True)
class OnnxFacts:
    """What an ONNX file says about itself."""

    inputs: tuple[OnnxTensor, ...]  # weights left out
    outputs: tuple[OnnxTensor, ...]
    operators: frozenset[str]
    weight_types: frozenset[int]  # numbers of TensorProto.DataType
    weight_files: frozenset[str] = frozenset()  # where weights lie that are not in the file itself

    @property
    def quantized(self) -> bool:
        """Does it say by QuantizeLinear and DequantizeLinear where INT8 is used?"""
        return "DequantizeLinear" in self.operators

    @property
    def half(self) -> bool:
        """Does it compute in float16?"""
        return FLOAT16 in self.weight_types


def read_onnx(path: Path) -> tuple[OnnxFacts, bytes]:
    """Read a file; return what it says, and its bytes. Raises ModelNotFound or ModelInvalid."""
    try:
        content = path.read_bytes()
    except OSError as problem:
        raise ModelNotFound(f"{path} cannot be read: {problem.strerror}.", hint="Copy the file there.") from problem
    try:
        facts = _read_model(memoryview(content))
    except (NotProtobuf, UnicodeDecodeError) as problem:
        raise ModelInvalid(f"{path} is no ONNX file, or is cut off: {problem}.", hint=HINT) from problem
    if not facts.inputs or not facts.outputs:
        raise ModelInvalid(f"{path} is no ONNX file: it holds no graph with an input and an output.", hint=HINT)
    return facts, content


def check_description(
    facts: OnnxFacts,
    path: Path,
    *,
    input_name: str,
    output_names: Sequence[str],
    input_shape: tuple[int, int, int],
) -> None:
    """Hold a file to what model.toml says of it. Raises ModelInvalid."""
    check_names(
        path,
        inputs=[tensor.name for tensor in facts.inputs],
        outputs=[tensor.name for tensor in facts.outputs],
        input_name=input_name,
        output_names=output_names,
    )
    shape = facts.inputs[0].shape
    wanted = (1, *input_shape)
    if len(shape) != 4 or any(side not in (-1, want) for side, want in zip(shape, wanted, strict=True)):
        raise ModelInvalid(
            f"{path} takes {' x '.join(map(str, shape)) or 'no sizes'}; model.toml asks for "
            f"{' x '.join(map(str, wanted))}.",
            hint="Write the size of the export into width_px and height_px of model.toml, or export at this size.",
        )


def _read_model(message: memoryview) -> OnnxFacts:
    for number, value in fields(message):
        if number == 7 and isinstance(value, memoryview):
            return _read_graph(value)
    return OnnxFacts((), (), frozenset(), frozenset())


def _read_graph(message: memoryview) -> OnnxFacts:
    inputs: list[OnnxTensor] = []
    outputs: list[OnnxTensor] = []
    operators: set[str] = set()
    constants: set[int] = set()
    stored: set[str] = set()  # kept in one type and computed with in another
    beside: set[str] = set()
    weights: dict[str, int] = {}
    for number, value in fields(message):
        if not isinstance(value, memoryview):
            continue
        if number == 1:
            operators.add(_text(value, 4))
            if _text(value, 4) == "Cast":
                stored.add(_text(value, 1))
            constants.update(_number(constant, 2) for constant in _walk(value, 5, 5))  # attribute, tensor
        elif number == 5:
            weights[_text(value, 8)] = _number(value, 2)
            beside.update(_text(entry, 2) for entry in _walk(value, 13) if _text(entry, 1) == "location")
        elif number in (11, 12):
            (inputs if number == 11 else outputs).append(_read_tensor(value))
    given = tuple(tensor for tensor in inputs if tensor.name not in weights)  # old exports list the weights too
    computed = {kind for name, kind in weights.items() if name not in stored}
    types = frozenset(constants | computed)
    return OnnxFacts(given, tuple(outputs), frozenset(operators), types, frozenset(beside))


def _read_tensor(message: memoryview) -> OnnxTensor:
    shape: list[int] = []
    for path_value in _walk(message, 2, 1, 2):  # type, tensor_type, shape
        for number, dimension in fields(path_value):
            if number == 1 and isinstance(dimension, memoryview):
                shape.append(_number(dimension, 1) or -1)
    return OnnxTensor(_text(message, 1), tuple(shape))


def _walk(message: memoryview, *numbers: int) -> list[memoryview]:
    found = [message]
    for wanted in numbers:
        inner = [field for part in found for field in fields(part)]
        found = [value for number, value in inner if number == wanted and isinstance(value, memoryview)]
    return found


def _text(message: memoryview, wanted: int) -> str:
    return next((bytes(v).decode() for n, v in fields(message) if n == wanted and isinstance(v, memoryview)), "")


def _number(message: memoryview, wanted: int) -> int:
    return next((value for number, value in fields(message) if number == wanted and isinstance(value, int)), 0)
