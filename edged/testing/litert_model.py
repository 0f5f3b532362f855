"""Writes tiny LiteRT models, so that the engine can be tried without real weights, by ai-edge-litert's own schema."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edged.testing.ncnn_model import tiny_weights

QUANTUM = 1 / 64
"""What one step of an int8 input or output stands for in a quantised tiny model."""
ZERO_POINT = -20


def write_tiny_litert_model(
    folder: Path,
    *,
    seed: int = 0,
    shape: tuple[int, int, int] = (3, 5, 7),
    channels_last: bool = True,
    quantised: bool = False,
) -> Path:
    """Write tiny.tflite, the twin of ncnn_model's tiny model, and return its path. tiny_answer() tells what it gives.

    in0 goes in with its channels last or first; out0 (1, 4, H, W) and out1 (1, 4) come out. In a `quantised` model they
    are int8: q stands for (q - ZERO_POINT) * QUANTUM.
    """
    writer = _Writer()
    weights, bias = tiny_weights(seed)
    height, width = shape[1:]
    picture = [1, height, width, 3] if channels_last else [1, *shape]
    entry = now = writer.tensor("in0", picture, quantised=quantised)
    if quantised:
        now = writer.then("DEQUANTIZE", [now], "floats", picture)
    if not channels_last:
        now = writer.then("TRANSPOSE", [now, writer.constant([0, 2, 3, 1])], "turned", [1, height, width, 3])
    kernel = [now, writer.constant(weights.reshape(4, 1, 1, 3)), writer.constant(bias)]
    mapped = writer.then("CONV_2D", kernel, "mapped", [1, height, width, 4])
    ends = (("out0", "TRANSPOSE", [0, 3, 1, 2], [1, 4, height, width]), ("out1", "MEAN", [1, 2], [1, 4]))
    outputs = []
    for name, kind, axes, sides in ends:
        end = writer.then(kind, [mapped, writer.constant(axes)], "" if quantised else name, sides)
        outputs.append(writer.then("QUANTIZE", [end], name, sides, quantised=True) if quantised else end)
    path = folder / "tiny.tflite"
    path.write_bytes(writer.model([entry], outputs))
    return path


class _Writer:
    """Puts a model together: tensors, and operators one after the other."""

    def __init__(self) -> None:
        from ai_edge_litert import schema_py_generated as schema

        self._schema: Any = schema
        self._graph = schema.SubGraphT()
        self._graph.tensors, self._graph.operators = [], []
        self._buffers = [schema.BufferT()]
        self._codes: list[Any] = []

    def tensor(self, name: str, shape: Sequence[int], *, quantised: bool = False) -> int:
        tensor = self._schema.TensorT()
        tensor.name, tensor.shape, tensor.buffer = name.encode(), list(shape), 0
        tensor.type = self._schema.TensorType.INT8 if quantised else self._schema.TensorType.FLOAT32
        if quantised:
            tensor.quantization = self._schema.QuantizationParametersT()
            tensor.quantization.scale, tensor.quantization.zeroPoint = [QUANTUM], [ZERO_POINT]
        self._graph.tensors.append(tensor)
        return len(self._graph.tensors) - 1

    def constant(self, values: Sequence[int] | npt.NDArray[np.float32]) -> int:
        array = np.asarray(values, None if isinstance(values, np.ndarray) else np.int32)
        buffer = self._schema.BufferT()
        buffer.data = np.frombuffer(array.tobytes(), np.uint8)
        self._buffers.append(buffer)
        index = self.tensor("", array.shape)
        tensor = self._graph.tensors[index]
        tensor.buffer = len(self._buffers) - 1
        tensor.type = self._schema.TensorType.INT32 if array.dtype == np.int32 else self._schema.TensorType.FLOAT32
        return index

    def then(self, kind: str, inputs: list[int], name: str, shape: Sequence[int], *, quantised: bool = False) -> int:
        """Add an operator; return its output."""
        operator = self._schema.OperatorT()
        operator.inputs, operator.outputs = inputs, [self.tensor(name, shape, quantised=quantised)]
        operator.opcodeIndex = self._code(getattr(self._schema.BuiltinOperator, kind))
        if kind == "CONV_2D":
            options = self._schema.Conv2DOptionsT()
            options.strideW = options.strideH = 1
            options.padding = self._schema.Padding.VALID
            operator.builtinOptions, operator.builtinOptionsType = options, self._schema.BuiltinOptions.Conv2DOptions
        elif kind == "MEAN":
            operator.builtinOptions = self._schema.ReducerOptionsT()
            operator.builtinOptionsType = self._schema.BuiltinOptions.ReducerOptions
        self._graph.operators.append(operator)
        return int(operator.outputs[0])

    def model(self, inputs: list[int], outputs: list[int]) -> bytes:
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
