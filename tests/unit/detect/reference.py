"""A plain second way from picture to boxes: ONNX Runtime and decoding as in a textbook, one box at a time.

Shares no code with edged.detect.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime


@dataclass(frozen=True)
class Box:
    left: float
    top: float
    right: float
    bottom: float
    score: float
    label: int


Run = Callable[[Any], Sequence[Any]]
"""Runs a model: blob (3, H, W) in, outputs without a batch axis."""


def onnx(model: Path) -> Run:
    """Run an onnx file with ONNX Runtime; outputs in the file's order."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda blob: [output[0] for output in session.run(None, {name: blob[None]})]


def picodet(run: Run, image: Any, size: int, floor: float) -> list[Box]:
    pixels = cv2.cvtColor(cv2.resize(image, (size, size)), cv2.COLOR_BGR2RGB).astype(np.float64)
    pixels = (pixels - [123.675, 116.28, 103.53]) / [58.395, 57.12, 57.375]
    outputs = run(_blob(pixels))
    boxes = []
    for level, stride in enumerate([8, 16, 32, 64]):
        columns = math.ceil(size / stride)
        for row, (scores, logits) in enumerate(zip(outputs[level], outputs[level + 4], strict=True)):
            label = int(np.argmax(scores))
            if scores[label] < floor:
                continue
            edges = []
            for side in range(4):
                eight = [math.exp(value) for value in logits[side * 8 : side * 8 + 8]]
                edges.append(stride * sum(number * value for number, value in enumerate(eight)) / sum(eight))
            x, y = (row % columns + 0.5) * stride, (row // columns + 0.5) * stride
            boxes.append(Box(x - edges[0], y - edges[1], x + edges[2], y + edges[3], float(scores[label]), label))
    height, width = image.shape[:2]
    return [_in_frame(box, width / size, height / size, 0, 0, image) for box in _suppress(boxes, 0.6)]


def yolox(run: Run, image: Any, floor: float) -> list[Box]:
    pixels, scale, _, _ = _letterbox(image, 416, centred=False)
    output = run(_blob(pixels))[0]
    boxes = []
    row = 0
    for stride in [8, 16, 32]:
        cells = 416 // stride
        for y in range(cells):
            for x in range(cells):
                values = output[row]
                row += 1
                label = int(np.argmax(values[5:]))
                score = float(values[4] * values[5 + label])
                if score < floor:
                    continue
                centre_x, centre_y = (x + values[0]) * stride, (y + values[1]) * stride
                width, height = math.exp(values[2]) * stride, math.exp(values[3]) * stride
                boxes.append(_from_centre(centre_x, centre_y, width, height, score, label))
    return [_in_frame(box, 1 / scale, 1 / scale, 0, 0, image) for box in _suppress(boxes, 0.6)]


def yolo_end2end(run: Run, image: Any, floor: float) -> list[Box]:
    pixels, scale, left, top = _letterbox(image, 320, centred=True)
    output = run(_blob(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB) / 255))[0]
    boxes = []
    for row in output.tolist():
        if row[4] >= floor:
            boxes.append(Box(row[0], row[1], row[2], row[3], row[4], int(row[5])))
    return [_in_frame(box, 1 / scale, 1 / scale, left, top, image) for box in boxes]


def overlap(one: Box, other: Box) -> float:
    """Intersection over union."""
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return both / (_area(one) + _area(other) - both)


def _area(box: Box) -> float:
    return (box.right - box.left) * (box.bottom - box.top)


def _suppress(boxes: list[Box], limit: float) -> list[Box]:
    kept: list[Box] = []
    for box in sorted(boxes, key=lambda box: -box.score):
        if all(box.label != other.label or overlap(box, other) <= limit for other in kept):
            kept.append(box)
    return kept


def _letterbox(image: Any, size: int, *, centred: bool) -> tuple[Any, float, int, int]:
    height, width = image.shape[:2]
    scale = size / max(height, width)
    small = cv2.resize(image, (round(width * scale), round(height * scale)))
    left = (size - small.shape[1]) // 2 if centred else 0
    top = (size - small.shape[0]) // 2 if centred else 0
    canvas = np.full((size, size, 3), 114, np.uint8)
    canvas[top : top + small.shape[0], left : left + small.shape[1]] = small
    return canvas, scale, left, top


def _blob(pixels: Any) -> Any:
    return np.ascontiguousarray(pixels.transpose(2, 0, 1), np.float32)


def _from_centre(x: float, y: float, width: float, height: float, score: float, label: int) -> Box:
    return Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2, score, label)


def _in_frame(box: Box, scale_x: float, scale_y: float, left: int, top: int, image: Any) -> Box:
    height, width = image.shape[:2]
    return Box(
        min(max((box.left - left) * scale_x, 0), width),
        min(max((box.top - top) * scale_y, 0), height),
        min(max((box.right - left) * scale_x, 0), width),
        min(max((box.bottom - top) * scale_y, 0), height),
        box.score,
        box.label,
    )
