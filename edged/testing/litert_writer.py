"""Writes LiteRT models, by the schema that comes with ai-edge-litert.

Source: schema.fbs of LiteRT.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

QUANTUM = 1 / 64
"""What one step of an int8 tensor stands for here."""
ZERO_POINT = -20

VALID = 1  # schema.Padding: no padding

_OPTIONS = {
    "CONV_2D": "Conv2DOptions",
    "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions",
    "CONCATENATION": "ConcatenationOptions",
    "RESIZE_NEAREST_NEIGHBOR": "ResizeNearestNeighborOptions",
    "MEAN": "ReducerOptions",
    "ADD": "AddOptions",
}
"""Operators that want a table of options, and its name in the schema."""


class LiteRtWriter:
    """Puts a model together: tensors, and operators one after the other. Channels come last."""

    def __init__(self) -> None:
        from ai_edge_litert import schema_py_generated as schema

        self._schema: Any = schema
        self._graph = schema.SubGraphT()
        self._graph.tensors, self._graph.operators = [], []
        self._buffers = [schema.BufferT()]
        self._codes: list[Any] = []

    def tensor(self, name: str, shape: Sequence[int], *, quantised: bool = False) -> int:
        """Add a tensor of float32, or of int8 as litert_model's quantised models have it; return its number."""
        tensor = self._schema.TensorT()
        tensor.name, tensor.shape, tensor.buffer = name.encode(), list(shape), 0
        tensor.type = self._schema.TensorType.INT8 if quantised else self._schema.TensorType.FLOAT32
        if quantised:
            tensor.quantization = self._schema.QuantizationParametersT()
            tensor.quantization.scale, tensor.quantization.zeroPoint = [QUANTUM], [ZERO_POINT]
        self._graph.tensors.append(tensor)
        return len(self._graph.tensors) - 1

    def constant(self, values: Sequence[Any] | npt.NDArray[np.float32]) -> int:
        """Add a tensor of float32 from an array, or of int32 from a list; return its number."""
        array = np.asarray(values, None if isinstance(values, np.ndarray) else np.int32)
        buffer = self._schema.BufferT()
        buffer.data = np.frombuffer(array.tobytes(), np.uint8)
        self._buffers.append(buffer)
        index = self.tensor("", array.shape)
        tensor = self._graph.tensors[index]
        tensor.buffer = len(self._buffers) - 1
        tensor.type = self._schema.TensorType.INT32 if array.dtype == np.int32 else self._schema.TensorType.FLOAT32
        return index

    def then(
        self,
        kind: str,
        inputs: list[int],
        name: str,
        shape: Sequence[int],
        *,
        quantised: bool = False,
        options: Mapping[str, int] | None = None,
    ) -> int:
        """Add an operator with its options, by their names in the schema; return its output."""
        operator = self._schema.OperatorT()
        operator.inputs, operator.outputs = inputs, [self.tensor(name, shape, quantised=quantised)]
        operator.opcodeIndex = self._code(getattr(self._schema.BuiltinOperator, kind))
        if kind in _OPTIONS:
            made = getattr(self._schema, f"{_OPTIONS[kind]}T")()
            for key, value in (options or {}).items():
                setattr(made, key, value)
            operator.builtinOptions = made
            operator.builtinOptionsType = getattr(self._schema.BuiltinOptions, _OPTIONS[kind])
        self._graph.operators.append(operator)
        return int(operator.outputs[0])

    def model(self, inputs: list[int], outputs: list[int]) -> bytes:
        """Return the file's bytes."""
        import flatbuffers

        self._graph.inputs, self._graph.outputs = inputs, outputs
        model = self._schema.ModelT()
        model.version, model.description = 3, b"edged"
        model.operatorCodes, model.subgraphs, model.buffers = self._codes, [self._graph], self._buffers
        builder = flatbuffers.Builder(4096)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())

    def _code(self, kind: int) -> int:
        for number, code in enumerate(self._codes):
            if code.builtinCode == kind:
                return number
        code = self._schema.OperatorCodeT()
        code.builtinCode = code.deprecatedBuiltinCode = kind
        code.version = 2 if kind == self._schema.BuiltinOperator.DEQUANTIZE else 1
        self._codes.append(code)
        return len(self._codes) - 1
