"""Backends for the tests of detect, which itself knows no engine."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime

from edged.backends.ncnn import NcnnBackend, Precision
from edged.detect.spec import ModelSpec


def ncnn_fp32(spec: ModelSpec) -> NcnnBackend:
    """Run the spec's ncnn files in float32."""
    engine = spec.files("ncnn")
    return NcnnBackend(
        engine.files["param"],
        engine.files["bin"],
        input_name=engine.input_name,
        output_names=engine.output_names,
        input_shape=spec.input_shape,
        precision=Precision.FP32,
    )


class OnnxBackend:
    """Runs the spec's onnx file."""

    def __init__(self, spec: ModelSpec) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self._engine = spec.files("onnx")
        self._session = onnxruntime.InferenceSession(
            str(self._engine.files["model"]), options, providers=["CPUExecutionProvider"]
        )

    def infer(self, blob: Any) -> list[Any]:
        outputs = self._session.run(list(self._engine.output_names), {self._engine.input_name: blob[None]})
        return [np.array(output[0]) for output in outputs]

    def close(self) -> None:
        """Nothing to free early."""
