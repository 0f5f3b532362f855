"""Reads model.toml. docs/models.md describes the file."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

from edged.detect import kinds
from edged.detect.spec import (
    Boxes,
    Colour,
    Family,
    HeadSpec,
    InputSpec,
    ModelSpec,
    Resize,
    Thresholds,
)
from edged.detect.tables import Table
from edged.domain.engines import ModelFiles
from edged.domain.words import counted
from edged.errors import ModelInvalid

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FILE_NAME = "model.toml"

FORMATS = {
    "ncnn": ("param", "bin"),
    "onnx": ("model",),
    "litert": ("model",),
    "edgetpu": ("model",),
    "tensorrt": ("engine",),
}
"""The files that each format consists of, by their keys."""

PLUG_IN = "plugin"
"""[plugin.NAME] names the files for the engine that another package brings."""

_NO_FILES = ("input", "outputs", "family", "boxes")

USUAL_STRIDES = (8, 16, 32)


def read_model_toml(folder: Path) -> tuple[ModelSpec, Mapping[str, str]]:
    """Read `folder`/model.toml; return the spec, and the SHA-256 of files by name.

    Raises ModelInvalid that lists every mistake in it.
    """
    path = folder / FILE_NAME
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as problem:  # ValueError: no UTF-8, no TOML, or thousands of digits
        raise ModelInvalid(f"{path} cannot be read: {problem}", hint="docs/models.md shows a whole one.") from problem
    mistakes: list[str] = []
    spec, digests = _read(Table(values, "", mistakes), folder, mistakes)
    if mistakes:
        listing = "".join(f"\n  - {mistake}" for mistake in mistakes)
        count = counted(len(mistakes), "mistake")
        raise ModelInvalid(f"{path} has {count}:{listing}", hint="docs/models.md describes every field.")
    return spec, digests


def _read(top: Table, folder: Path, mistakes: list[str]) -> tuple[ModelSpec, Mapping[str, str]]:
    name = top.required("name", kinds.TEXT)
    shape = _read_input(top.table("input"))
    head = _read_head(top.table("head"))
    formats, heads = _read_formats(top, folder, name, (3, shape.height_px, shape.width_px), head)
    spec = ModelSpec(
        name=name,
        folder=folder,
        licence=top.required("licence", kinds.TEXT),
        source=top.required("source", kinds.TEXT),
        labels=top.required("labels", kinds.LABELS),
        input=shape,
        head=head,
        thresholds=_read_thresholds(top.table("thresholds"), mistakes),
        formats=formats,
        heads=heads,
    )
    if not spec.formats:
        mistakes.append(f"no engine: expected a table {' or '.join(f'[{known}]' for known in FORMATS)}")
    _check_size(spec, mistakes)
    _check_outputs(spec, mistakes)
    digest_table = top.table("sha256")
    digests = {name: digest_table.required(name, kinds.SHA256) for name in digest_table.names()}
    top.finish(*FORMATS)
    return spec, digests


def _read_input(table: Table) -> InputSpec:
    spec = InputSpec(
        width_px=table.required("width_px", kinds.SIDE_PX),
        height_px=table.required("height_px", kinds.SIDE_PX),
        colour=table.required("colour", kinds.choice(Colour)),
        mean=table.required("mean", kinds.MEAN),
        scale=table.required("scale", kinds.SCALE),
        resize=table.required("resize", kinds.choice(Resize)),
        pad_value=table.optional("pad_value", kinds.BYTE, 114),
    )
    table.finish()
    return spec


def _read_head(table: Table) -> HeadSpec:
    family = table.required("family", kinds.choice(Family))
    if family in (Family.YOLOX, Family.GFL):
        strides = table.required("strides", kinds.STRIDES)
    else:
        usual: tuple[int, ...] = () if family is Family.END2END else USUAL_STRIDES
        strides = table.optional("strides", kinds.STRIDES, usual)
    table.finish()
    return HeadSpec(family, strides)


def _read_thresholds(table: Table, mistakes: list[str]) -> Thresholds:
    low = table.required("low_confidence", kinds.FRACTION)
    high = table.required("high_confidence", kinds.FRACTION)
    spec = Thresholds(
        confidence=table.optional("confidence", kinds.FRACTION, low),
        nms_iou=table.optional("nms_iou", kinds.FRACTION, 0.6),
        low_confidence=low,
        high_confidence=high,
        new_track_confidence=table.optional("new_track_confidence", kinds.FRACTION, high),
    )
    ladder = {name: getattr(spec, name) for name in ("low_confidence", "high_confidence", "new_track_confidence")}
    for (name, number), (next_name, next_number) in pairwise(ladder.items()):
        if number > next_number:
            mistakes.append(f"thresholds.{name} = {number} lies above thresholds.{next_name} = {next_number}")
    table.finish()
    return spec


def _read_formats(
    top: Table, folder: Path, model: str, shape: tuple[int, int, int], head: HeadSpec
) -> tuple[Mapping[str, ModelFiles], Mapping[str, HeadSpec]]:
    """The model's files by format, those that edged knows and those of [plugin.NAME], and heads that differ."""
    tables = [(name, top.table(name), _keys(name, top.table(name))) for name in FORMATS if name in top.names()]
    brought = top.table(PLUG_IN)
    for name in brought.names():
        table = brought.table(name)
        tables.append((name, table, tuple(key for key in table.names() if key not in _NO_FILES)))
    formats: dict[str, ModelFiles] = {}
    heads: dict[str, HeadSpec] = {}
    for name, table, keys in tables:
        formats[name] = ModelFiles(
            model=model,
            format=name,
            files={key: folder / table.required(key, kinds.FILE_NAME) for key in keys},
            input_name=table.required("input", kinds.TEXT),
            output_names=table.required("outputs", kinds.TEXTS),
            input_shape=shape,
        )
        family = table.optional("family", kinds.choice(Family), head.family)
        heads[name] = HeadSpec(family, head.strides, table.optional("boxes", kinds.choice(Boxes), Boxes.PIXELS))
        table.finish()
    return formats, heads


def _keys(name: str, table: Table) -> tuple[str, ...]:
    """The files of a format. A TensorRT engine may have the ONNX file beside it that it was built from, or is to be."""
    if name != "tensorrt":
        return FORMATS[name]
    beside = tuple(key for key in ("onnx", "calibration") if key in table.names())
    return beside if "onnx" in beside and "engine" not in table.names() else (*FORMATS[name], *beside)


def _check_size(spec: ModelSpec, mistakes: list[str]) -> None:
    """Note sides that do not fill whole cells: a doubled coarse grid has another size than the fine one then."""
    cell = min(32, max(spec.head.strides, default=32))
    for key, side in (("width_px", spec.input.width_px), ("height_px", spec.input.height_px)):
        if side % cell:
            mistakes.append(f"input.{key} = {side}: expected a multiple of {cell}")


def _check_outputs(spec: ModelSpec, mistakes: list[str]) -> None:
    """Note formats whose outputs do not fit the head."""
    for name, files in spec.formats.items():
        head = spec.in_format(name).head
        gfl = head.family is Family.GFL
        wanted = 2 * len(head.strides) if gfl else 1
        if len(files.output_names) != wanted:
            reason = "class scores of each stride, then edges of each stride" if gfl else "boxes and scores in one"
            mistakes.append(
                f"{name}.outputs names {len(files.output_names)}: the head {head.family.value} has {wanted} ({reason})"
            )
