"""The same exported model in three engines, each as picture in, raw scores and box distributions out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from edged.domain.frame import BgrImage
from edged.optimize.export import INPUT, OUTPUTS, Deployed, blob_of
from edged.optimize.grid import BINS, Floats
from edged.optimize.looking import Raw


def in_torch(model: Deployed) -> Raw:
    """Run the network itself."""

    def raw(canvas: BgrImage) -> tuple[Floats, Floats]:
        with torch.inference_mode():
            outputs = model(torch.from_numpy(blob_of(canvas))[None])
        return _joined([output[0].numpy() for output in outputs])

    return raw


def in_onnxruntime(path: Path) -> Raw:
    """Run an onnx file."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # see edged/backends/onnxruntime.py
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def raw(canvas: BgrImage) -> tuple[Floats, Floats]:
        return _joined([output[0] for output in session.run(list(OUTPUTS), {INPUT: blob_of(canvas)[None]})])

    return raw


def in_ncnn(param: Path, weights: Path) -> Raw:
    """Run ncnn files, in float32."""
    import ncnn

    net = ncnn.Net()
    net.opt.num_threads = 1
    net.load_param(str(param))
    net.load_model(str(weights))

    def raw(canvas: BgrImage) -> tuple[Floats, Floats]:
        blob = blob_of(canvas)  # must live as long as the Mat
        extractor = net.create_extractor()
        extractor.input(INPUT, ncnn.Mat(blob))
        outputs = [np.array(extractor.extract(name)[1]) for name in OUTPUTS]
        del extractor
        return _joined(outputs)

    return raw


def _joined(outputs: Sequence[Floats]) -> tuple[Floats, Floats]:
    """Scores (classes, A) and box distributions (32, A) of the eight outputs."""
    half = len(outputs) // 2
    logits = np.concatenate(outputs[half:], axis=1).reshape(4, BINS, -1)
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    spread = (weights / weights.sum(axis=1, keepdims=True)).reshape(4 * BINS, -1)
    return np.concatenate(outputs[:half], axis=1), spread
