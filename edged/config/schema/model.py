"""[model]: which model looks at the frames, and how."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, ValidationInfo

from edged.config.schema.fields import NAME_PATTERN, Section, option, resolve


def _model_path(text: str, info: ValidationInfo) -> str:
    """A name has no slash in it; everything else is a folder."""
    return resolve(text, info) if "/" in text or text in (".", "..") else text


class ModelSection(Section):
    """Which model looks at the frames, and how."""

    path: Annotated[str, AfterValidator(_model_path)] = option(
        "builtin",
        "Folder of the model, or the name of one that `edged models list` shows. A folder has a slash in it: ./mine.",
        "folder or name",
        min_length=1,
    )
    backend: str = option(
        "auto",
        "Inference engine that runs the model: ncnn, another that `edged models explain` lists, or auto, the best that "
        "is here for the model's files.",
        "name",
        pattern=NAME_PATTERN,
        max_length=40,
    )
    threads: int = option(
        1, "Threads of one inference. More than the machine has idle cores makes it slower.", "threads", ge=1, le=64
    )
    precision: Literal["auto", "fp32", "fp16", "int8"] = option(
        "auto",
        "In which numbers TensorRT computes; other engines do as the model's files say. auto: float16 for a float32 "
        "model, and what the model says for one that says its types.",
        "choice",
    )
    dla_core: int | None = option(
        None,
        "Which DLA core of a Jetson runs the model, with the GPU for what the DLA cannot do. Not set: the GPU alone.",
        "core",
        ge=0,
        le=7,
    )
    confidence: float | None = option(
        None,
        "The detector drops what it is less sure of than this. Not set: what the model's own file says.",
        "0..1",
        gt=0,
        le=1,
    )
    nms_iou: float | None = option(
        None,
        "Boxes of one class that overlap by more than this are one object. Not set: what the model's own file says.",
        "0..1",
        gt=0,
        le=1,
    )
