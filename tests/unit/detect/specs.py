"""Small model specs for the tests of detect."""

from __future__ import annotations

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

LABELS = ("person", "car", "dog")


def input_spec(
    width_px: int = 64,
    height_px: int = 32,
    *,
    resize: Resize = Resize.LETTERBOX,
    colour: Colour = Colour.RGB,
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0),
    scale: tuple[float, float, float] = (1.0, 1.0, 1.0),
    pad_value: int = 114,
) -> InputSpec:
    return InputSpec(width_px, height_px, colour, mean, scale, resize, pad_value)


def model_spec(
    family: Family, strides: tuple[int, ...] = (8, 16, 32), *, shape: InputSpec | None = None, outputs: int = 1
) -> ModelSpec:
    """Input 64 x 32 unless told: 8, 16, 32 make 32 + 8 + 2 = 42 cells."""
    names = tuple(f"out{number}" for number in range(outputs))
    return ModelSpec(
        name="small",
        folder=Path("small"),
        input=shape or input_spec(),
        head=HeadSpec(family, strides),
        labels=LABELS,
        thresholds=Thresholds(0.25, 0.5, 0.25, 0.5, 0.5),
        formats={"ncnn": ModelFiles("small", "ncnn", {}, "in0", names, (3, 32, 64))},
        licence="",
        source="",
    )
