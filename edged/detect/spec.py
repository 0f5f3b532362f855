"""What edged knows of a model: the contents of model.toml, in code. docs/models.md describes every field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path

from edged.domain.engines import ModelFiles
from edged.errors import ModelInvalid


class Colour(str, Enum):
    """The order of the blob's three channels."""

    RGB = "rgb"
    BGR = "bgr"


class Resize(str, Enum):
    """How a picture is fitted to the model's input."""

    STRETCH = "stretch"  # each axis by itself; shapes are distorted
    LETTERBOX = "letterbox"  # shape kept, padding on both sides
    LETTERBOX_TOP_LEFT = "letterbox-top-left"  # shape kept, padding right or below


class Family(str, Enum):
    """How a model writes down its boxes; edged.detect.heads has a decoder for each."""

    ULTRALYTICS = "ultralytics"  # YOLOv8, YOLO11, YOLO26: one (4 + classes, N) output
    END2END = "end2end"  # one (N, 6) output, duplicates already removed
    YOLOX = "yolox"  # one (N, 5 + classes) output, boxes relative to the grid
    GFL = "gfl"  # PicoDet, NanoDet: class scores and edge distributions for each stride


class Boxes(str, Enum):
    """In what the outputs of a format measure boxes."""

    PIXELS = "pixels"  # of the input
    FRACTIONS = "fractions"  # 0..1 of the input's sides, as LiteRT's converters like it


@dataclass(frozen=True, slots=True)
class InputSpec:
    """How a picture becomes the blob that the model wants.

    Channel c of the blob is (x - mean[c]) * scale[c], x in 0..255, c counted in `colour` order.
    """

    width_px: int
    height_px: int
    colour: Colour
    mean: tuple[float, float, float]
    scale: tuple[float, float, float]
    resize: Resize
    pad_value: int  # 0..255, before mean and scale; what letterboxing fills with


@dataclass(frozen=True, slots=True)
class HeadSpec:
    """How the model's outputs are to be read."""

    family: Family
    strides: tuple[int, ...]  # input pixels a grid cell, in the order of the outputs; () for END2END
    boxes: Boxes = Boxes.PIXELS


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Numbers that belong to the model, because no two models mean the same by 0.5. All in 0..1."""

    confidence: float  # the detector drops what is below
    nms_iou: float  # of two boxes of a class that overlap more, only the better stays
    low_confidence: float  # the tracker takes no notice of what is below
    high_confidence: float  # the tracker matches these first
    new_track_confidence: float  # the least that begins a track


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model folder, read and checked."""

    name: str
    folder: Path
    input: InputSpec
    head: HeadSpec
    labels: tuple[str, ...]
    thresholds: Thresholds
    formats: Mapping[str, ModelFiles]  # by the table's name: ncnn, onnx, litert
    licence: str
    source: str
    heads: Mapping[str, HeadSpec] = field(default_factory=dict)  # of formats whose outputs are written down otherwise

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Shape of the blob: (3, height, width)."""
        return (3, self.input.height_px, self.input.width_px)

    def files(self, format: str) -> ModelFiles:  # noqa: A002 - the word for it
        """Return the files in a format. Raises ModelInvalid when the model has none."""
        if format not in self.formats:
            raise ModelInvalid(
                f"Model {self.name} in {self.folder} has no files for {format}.",
                hint=f"It has files for: {', '.join(sorted(self.formats))}. Choose that backend, or export the model.",
            )
        return self.formats[format]

    def in_format(self, format: str) -> ModelSpec:  # noqa: A002 - the word for it
        """Return the spec as it holds for one format: with the head that reads its outputs."""
        return replace(self, head=self.heads.get(format, self.head))
