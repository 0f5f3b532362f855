"""Reads a folder as `yolo export format=ncnn` writes it: metadata.yaml beside model.ncnn.param and model.ncnn.bin.

metadata.yaml is read by a small strict reader of our own. PyYAML would be one more wheel on every box for the sake of
four keys; and what the reader does not know for certain (anchors, block texts, escapes) it refuses with the number of
the line, where a guess would put wrong names on boxes.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from edged.detect.spec import (
    Colour,
    Family,
    HeadSpec,
    InputSpec,
    ModelSpec,
    Resize,
    Thresholds,
)
from edged.domain.engines import ModelFiles
from edged.errors import ModelInvalid

FILE_NAME = "metadata.yaml"

# What Ultralytics' own tracker configuration (bytetrack.yaml) and predict use with these models.
THRESHOLDS = Thresholds(
    confidence=0.1, nms_iou=0.7, low_confidence=0.1, high_confidence=0.25, new_track_confidence=0.25
)

_SPECIAL = tuple("&*!|>{}[]%@`#?")


def read_ultralytics_folder(folder: Path) -> ModelSpec:
    """Read the metadata that Ultralytics writes beside an export. Raises ModelInvalid."""
    path = folder / FILE_NAME
    sections = _sections(path)
    task = _scalar(path, *_one_line(path, sections, "task"))
    if task != "detect":
        raise ModelInvalid(
            f"{path} says that the model's task is {task!r}.",
            hint="edged runs detection models: export one trained with task=detect.",
        )
    height_px, width_px = _image_size(path, sections)
    unit = 1 / 255
    name = folder.resolve().name.removesuffix("_ncnn_model")  # of "." too
    files = {"param": folder / "model.ncnn.param", "bin": folder / "model.ncnn.bin"}
    return ModelSpec(
        name=name,
        folder=folder,
        input=InputSpec(
            width_px, height_px, Colour.RGB, (0.0, 0.0, 0.0), (unit, unit, unit), Resize.LETTERBOX, pad_value=114
        ),
        head=HeadSpec(Family.ULTRALYTICS, _strides(path, sections)),
        labels=_labels(path, sections),
        thresholds=THRESHOLDS,
        formats={"ncnn": ModelFiles(name, "ncnn", files, "in0", ("out0",), (3, height_px, width_px))},
        licence=_scalar(path, *sections["license"][0]) if sections.get("license") else "unknown",
        source="exported by Ultralytics",
    )


Line = tuple[int, str]
"""Number of the line, and its text without indentation."""


def _sections(path: Path) -> dict[str, list[Line]]:
    """Split the file at its keys of the first level: each holds the rest of the key's line, then what follows."""
    sections: dict[str, list[Line]] = {}
    current: list[Line] = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as problem:
        raise ModelInvalid(f"{path} cannot be read: {problem}", hint="Export the model anew.") from problem
    for number, line in enumerate(lines, 1):
        top = re.match(r"([A-Za-z_]\w*):(?:\s+(.*))?$", line)
        if top is not None:
            current = sections.setdefault(top[1], [])
        text = (top[2] or "") if top is not None else line
        if text.strip():
            current.append((number, text.strip()))
    return sections


def _refuse(path: Path, number: int, what: str) -> ModelInvalid:
    return ModelInvalid(
        f"{path}, line {number}: {what}.",
        hint="Write a model.toml instead (docs/models.md); it comes before metadata.yaml.",
    )


def _one_line(path: Path, sections: dict[str, list[Line]], key: str) -> Line:
    if len(sections.get(key, ())) != 1:
        raise _refuse(path, 1, f"expected one line '{key}: …'")
    return sections[key][0]


def _scalar(path: Path, number: int, text: str) -> str:
    """Read a plain, 'single' or "double" quoted YAML scalar that ends on its line."""
    if text.startswith("'"):
        inner = text[1:-1]
        if len(text) >= 2 and text.endswith("'") and "'" not in inner.replace("''", ""):
            return inner.replace("''", "'")
    elif text.startswith('"'):
        try:
            return str(json.loads(text))  # the escapes that the two languages share
        except ValueError:
            pass
    elif not text.startswith(_SPECIAL) and ": " not in text and " #" not in text:
        return text
    raise _refuse(path, number, f"cannot read the value {text!r}")


def _image_size(path: Path, sections: dict[str, list[Line]]) -> tuple[int, int]:
    """Height and width of the input, from `imgsz: [320, 320]` or the same as a list of two lines."""
    lines = sections.get("imgsz", [])
    numbers = re.findall(r"\d+", " ".join(text for _, text in lines))
    if len(numbers) != 2:
        raise _refuse(path, lines[0][0] if lines else 1, "expected imgsz with two numbers, height and width")
    return int(numbers[0]), int(numbers[1])


def _strides(path: Path, sections: dict[str, list[Line]]) -> tuple[int, ...]:
    """8, 16, … up to `stride: N`, the coarsest grid."""
    number, text = _one_line(path, sections, "stride")
    if text not in ("8", "16", "32", "64"):
        raise _refuse(path, number, f"expected a stride of 32 or 64, found {text!r}")
    return tuple(stride for stride in (8, 16, 32, 64) if stride <= int(text))


def _labels(path: Path, sections: dict[str, list[Line]]) -> tuple[str, ...]:
    labels: list[str] = []
    for number, text in sections.get("names", []):
        entry = re.match(r"(\d+):\s+(.*)$", text)
        if entry is None or int(entry[1]) != len(labels):
            raise _refuse(path, number, f"expected '{len(labels)}: NAME', found {text!r}")
        labels.append(_scalar(path, number, entry[2]))
    if not labels:
        raise _refuse(path, 1, "expected names, a line for each class")
    return tuple(labels)
