"""Writes the folder that ships: ncnn files, their ONNX twin, model.toml, a golden picture and the answer to it."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from edged.domain.frame import BgrImage
from edged.optimize import engines, grid
from edged.optimize.classes import KEPT
from edged.optimize.export import (
    INPUT,
    OUTPUTS,
    Deployed,
    Disagreement,
    disagreement,
    write_ncnn,
    write_onnx,
)
from edged.optimize.looking import NMS_IOU, Raw, find, letterbox
from edged.optimize.onnx_twin import write_onnx_twin
from edged.optimize.photos import read_image
from edged.optimize.pnnx_tool import ExportError
from edged.optimize.trainer import averaged_network

NAME = "edged-nano"
SIZE_PX = 320
GOLDEN_CONFIDENCE = 0.3

# Measured on a street scene; see CARD.md.
CONFIDENCE = 0.2
LOW_CONFIDENCE = 0.25
HIGH_CONFIDENCE = 0.5
NEW_TRACK_CONFIDENCE = 0.6

MOST_SCORE = 0.02  # fp16 weights move scores and edges a little; more than this is an export gone wrong
MOST_EDGE_STRIDES = 0.1


def deployed(checkpoint: Path) -> Deployed:
    """The network of a checkpoint with the shipped classes. Raises CheckpointError."""
    return Deployed(averaged_network(checkpoint), [row for row, _ in KEPT.values()])


def release(checkpoint: Path, folder: Path, *, golden: Path, others: Sequence[Path]) -> Iterator[str]:
    """Write the model into `folder`, with a twin for ONNX on the same weights, and say how well all engines agree.

    What the network itself exports to ONNX stays beside the checkpoint.

    Raises ExportError when an engine disagrees with the network.
    """
    folder.mkdir(parents=True, exist_ok=True)
    model = deployed(checkpoint)
    onnx = checkpoint.parent / f"{NAME}.onnx"
    write_onnx(model, onnx, size_px=SIZE_PX)
    param, weights = write_ncnn(onnx, folder.resolve(), name=NAME, size_px=SIZE_PX)
    twin = folder / onnx.name
    write_onnx_twin(param, weights, twin, input_shape=(3, SIZE_PX, SIZE_PX))
    files = (param, weights, twin)
    yield ", ".join(f"{path.name} {path.stat().st_size} bytes" for path in files)

    pictures = [read_image(path) for path in (golden, *others)]
    reference = engines.in_torch(model)
    for name, raw in (("onnxruntime", engines.in_onnxruntime(twin)), ("ncnn", engines.in_ncnn(param, weights))):
        apart = _compare(reference, raw, pictures)
        yield f"{name}: scores within {apart.score:.4f}, edges within {apart.edge_strides:.3f} strides of torch's"
        if apart.score > MOST_SCORE or apart.edge_strides > MOST_EDGE_STRIDES:
            raise ExportError(
                f"{name} disagrees with the network.", hint="Look for a layer that was translated wrongly."
            )

    if golden.resolve() != (folder / "golden.jpg").resolve():
        shutil.copyfile(golden, folder / "golden.jpg")
    (folder / "golden.json").write_text(_answer(pictures[0], engines.in_ncnn(param, weights)))
    (folder / "model.toml").write_text(_model_toml(files))
    yield f"{folder} holds {sum(path.stat().st_size for path in folder.iterdir())} bytes"


def _compare(reference: Raw, raw: Raw, pictures: Sequence[BgrImage]) -> Disagreement:
    canvases = [letterbox(picture, SIZE_PX)[0] for picture in pictures]
    ours, theirs = (
        [(scores, grid.distances(spread)) for scores, spread in map(engine, canvases)] for engine in (reference, raw)
    )
    return disagreement(ours, theirs)


def _answer(picture: BgrImage, raw: Raw) -> str:
    """What the model finds in the golden picture, as JSON."""
    found = find(picture, raw, size_px=SIZE_PX, classes=range(len(KEPT)), confidence=GOLDEN_CONFIDENCE)
    rows = [
        {
            "label": list(KEPT)[class_id],
            "confidence": round(float(confidence), 3),
            "xyxy": [round(float(each), 1) for each in xyxy],
        }
        for xyxy, confidence, class_id in zip(found.xyxy, found.confidence, found.class_id, strict=True)
    ]
    body = ",\n    ".join(json.dumps(row) for row in rows)
    return f'{{\n  "at_least": {GOLDEN_CONFIDENCE},\n  "objects": [\n    {body}\n  ]\n}}\n'


def _model_toml(files: Sequence[Path]) -> str:
    param, weights, onnx = (path.name for path in files)
    digests = "\n".join(f'"{path.name}" = "{hashlib.sha256(path.read_bytes()).hexdigest()}"' for path in files)
    strides = list(grid.STRIDES)
    one = 1 / 255
    return f"""\
name = "{NAME}"
licence = "Apache-2.0"
source = "trained from this repository by scripts/train_builtin; CARD.md says on what and how good it is"
labels = {json.dumps(list(KEPT))}

[input]
width_px = {SIZE_PX}
height_px = {SIZE_PX}
colour = "rgb"
mean = [0, 0, 0]
scale = [{one:.10f}, {one:.10f}, {one:.10f}]
resize = "letterbox"
pad_value = 114

[head]
family = "gfl"
strides = {strides}

[thresholds]
confidence = {CONFIDENCE}
nms_iou = {NMS_IOU}
low_confidence = {LOW_CONFIDENCE}
high_confidence = {HIGH_CONFIDENCE}
new_track_confidence = {NEW_TRACK_CONFIDENCE}

[ncnn]
param = "{param}"
bin = "{weights}"
input = "{INPUT}"
outputs = {json.dumps(list(OUTPUTS))}

[onnx]
model = "{onnx}"
input = "{INPUT}"
outputs = {json.dumps(list(OUTPUTS))}

[sha256]
{digests}
"""
