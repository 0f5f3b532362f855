"""Writes tiny LiteRT models, so that the engine can be tried without real weights, by ai-edge-litert's own schema."""

from __future__ import annotations

from pathlib import Path

from edged.testing.litert_writer import VALID, LiteRtWriter
from edged.testing.ncnn_model import tiny_weights


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
    are int8: q stands for (q - ZERO_POINT) * QUANTUM of litert_writer.
    """
    writer = LiteRtWriter()
    weights, bias = tiny_weights(seed)
    height, width = shape[1:]
    picture = [1, height, width, 3] if channels_last else [1, *shape]
    entry = now = writer.tensor("in0", picture, quantised=quantised)
    if quantised:
        now = writer.then("DEQUANTIZE", [now], "floats", picture)
    if not channels_last:
        now = writer.then("TRANSPOSE", [now, writer.constant([0, 2, 3, 1])], "turned", [1, height, width, 3])
    kernel = [now, writer.constant(weights.reshape(4, 1, 1, 3)), writer.constant(bias)]
    options = {"strideW": 1, "strideH": 1, "padding": VALID}
    mapped = writer.then("CONV_2D", kernel, "mapped", [1, height, width, 4], options=options)
    ends = (("out0", "TRANSPOSE", [0, 3, 1, 2], [1, 4, height, width]), ("out1", "MEAN", [1, 2], [1, 4]))
    outputs = []
    for name, kind, axes, sides in ends:
        end = writer.then(kind, [mapped, writer.constant(axes)], "" if quantised else name, sides)
        outputs.append(writer.then("QUANTIZE", [end], name, sides, quantised=True) if quantised else end)
    path = folder / "tiny.tflite"
    path.write_bytes(writer.model([entry], outputs))
    return path
