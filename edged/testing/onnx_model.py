"""Writes a tiny ONNX model, byte by byte, so that engines can be tried without real weights and without a library.

Source: onnx.proto (field numbers) and protobuf.dev, "Encoding".
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edged.testing.ncnn_model import tiny_weights

_OPSET, _IR_VERSION = 13, 8
_FLOAT, _INT64, _FLOAT16 = 1, 7, 10  # TensorProto.DataType
_EXTERNAL = 1  # TensorProto.DataLocation
_INT = 2  # AttributeProto.AttributeType


def write_tiny_onnx_model(
    folder: Path, *, seed: int = 0, shape: Sequence[int] = (3, 5, 7), half_input: bool = False
) -> Path:
    """Write tiny.onnx, the twin of ncnn_model's tiny model, and return its path. tiny_answer() tells what it gives.

    in0 (1, 3, H, W) goes in, as float16 where `half_input` says so; out0 (1, 4, H, W) and out1 (1, 4) come out. `shape`
    is the blob's; a -1 is left open.
    """
    path = folder / "tiny.onnx"
    path.write_bytes(tiny_onnx(seed=seed, shape=shape, half_input=half_input))
    return path


def tiny_onnx(
    *, seed: int = 0, shape: Sequence[int] = (3, 5, 7), half_input: bool = False, bias_file: str | None = None
) -> bytes:
    """Return the bytes of the tiny model. `bias_file` names the file where its four float32 biases lie instead."""
    weights, bias = tiny_weights(seed)
    open_side = -1 if -1 in shape else 1
    graph = b"".join(
        [
            _bytes(1, _node("Cast", ["in0"], "floats") + _bytes(5, _whole("to", _FLOAT))) if half_input else b"",
            _bytes(1, _node("Conv", ["floats" if half_input else "in0", "weights", "bias"], "out0")),
            _bytes(1, _node("GlobalAveragePool", ["out0"], "mean")),
            _bytes(1, _node("Reshape", ["mean", "flat"], "out1")),
            _bytes(2, b"tiny"),
            _bytes(5, _constant("weights", weights.reshape(4, 3, 1, 1))),
            _bytes(5, _constant("bias", bias, file=bias_file)),
            _bytes(5, _constant("flat", np.array([-1, 4], np.int64))),
            _bytes(11, _tensor("in0", [open_side, *shape], _FLOAT16 if half_input else _FLOAT)),
            _bytes(12, _tensor("out0", [open_side, 4, *shape[1:]])),
            _bytes(12, _tensor("out1", [open_side, 4])),
        ]
    )
    opset = _varint(2, _OPSET)
    return _varint(1, _IR_VERSION) + _bytes(2, b"edged") + _bytes(7, graph) + _bytes(8, opset)


def _node(kind: str, inputs: Sequence[str], output: str) -> bytes:
    return b"".join(_bytes(1, name.encode()) for name in inputs) + _bytes(2, output.encode()) + _bytes(4, kind.encode())


def _constant(name: str, array: npt.NDArray[np.float32] | npt.NDArray[np.int64], *, file: str | None = None) -> bytes:
    sides = b"".join(_varint(1, side) for side in array.shape)
    kind = _FLOAT if array.dtype == np.float32 else _INT64
    if file is None:
        content = _bytes(9, array.tobytes())
    else:
        content = _bytes(13, _bytes(1, b"location") + _bytes(2, file.encode())) + _varint(14, _EXTERNAL)
    return sides + _varint(2, kind) + _bytes(8, name.encode()) + content


def _whole(name: str, value: int) -> bytes:
    """An attribute that is a whole number."""
    return _bytes(1, name.encode()) + _varint(3, value) + _varint(20, _INT)


def _tensor(name: str, shape: Sequence[int], number: int = _FLOAT) -> bytes:
    # An open side has a name; sides with one name are one length.
    sides = b"".join(
        _bytes(1, _varint(1, s) if s >= 0 else _bytes(2, b"open%d" % axis)) for axis, s in enumerate(shape)
    )
    kind = _bytes(1, _varint(1, number) + _bytes(2, sides))
    return _bytes(1, name.encode()) + _bytes(2, kind)


def _varint(number: int, value: int) -> bytes:
    return _plain(number << 3) + _plain(value)


def _bytes(number: int, value: bytes) -> bytes:
    return _plain(number << 3 | 2) + _plain(len(value)) + value


def _plain(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])
