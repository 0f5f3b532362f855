"""Writes an ONNX model that says in which numbers it computes: one source of engines for TensorRT 8.5 to 11.

A float32 model runs in float16 only where TensorRT may choose by itself, which 11 gave up. These run the same way
everywhere, onnxruntime included, so that what was measured on a workstation holds on the box. Needs onnx and
onnxruntime: scripts/env optimize.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

_OPSET = 13
"""The first in which DequantizeLinear takes a scale per channel."""

Blob = npt.NDArray[np.float32]


def write_float16(source: Path, target: Path) -> None:
    """Write `target`, which computes in float16. What goes in and out stays float32."""
    import onnx
    from onnxruntime.transformers.float16 import convert_float_to_float16

    with warnings.catch_warnings():  # weights too small for float16 become 0, which it tells one by one
        warnings.simplefilter("ignore")
        onnx.save(convert_float_to_float16(onnx.load(str(source)), keep_io_types=True), str(target))


def write_int8(source: Path, target: Path, blobs: Iterable[Blob]) -> None:
    """Write `target`, whose convolutions compute in int8, with ranges measured on `blobs` ((3, H, W), about a hundred).

    As TensorRT wants it: symmetric, weights per channel, biases in float. Only convolutions: with everything in int8,
    boxes and scores share one scale, and the mAP falls by a quarter.
    """
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with tempfile.TemporaryDirectory() as folder:
        modern, prepared = Path(folder) / "modern.onnx", Path(folder) / "prepared.onnx"
        _write_modern(source, modern)
        quant_pre_process(str(modern), str(prepared), skip_symbolic_shape=True)
        quantize_static(
            str(prepared),
            str(target),
            _Blobs(_input_name(source), blobs),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["Conv"],
            per_channel=True,
            activation_type=QuantType.QInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
            extra_options={"ActivationSymmetric": True, "WeightSymmetric": True, "QuantizeBias": False},
        )


def _write_modern(source: Path, target: Path) -> None:
    """Translate an older model to the opset that knows scales per channel."""
    import onnx
    from onnx import version_converter

    model = onnx.load(str(source))
    opset = next(known.version for known in model.opset_import if known.domain in ("", "ai.onnx"))
    onnx.save(version_converter.convert_version(model, _OPSET) if opset < _OPSET else model, str(target))


class _Blobs:
    """onnxruntime's CalibrationDataReader."""

    def __init__(self, input_name: str, blobs: Iterable[Blob]) -> None:
        self._input_name = input_name
        self._blobs: Iterator[Blob] = iter(blobs)

    def get_next(self) -> dict[str, Any] | None:
        blob = next(self._blobs, None)
        return None if blob is None else {self._input_name: blob[None]}


def _input_name(path: Path) -> str:
    import onnx

    graph = onnx.load(str(path), load_external_data=False).graph
    weights = {weight.name for weight in graph.initializer}
    return next(str(tensor.name) for tensor in graph.input if tensor.name not in weights)
