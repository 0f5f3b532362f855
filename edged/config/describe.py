"""Words for an option: what it takes, in what range, in what unit. Read from the schema."""

from __future__ import annotations

import types
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from edged.config.toml_text import toml_value


def unit(field: FieldInfo) -> str:
    """The unit of an option, such as "seconds"."""
    extra = field.json_schema_extra
    return str(extra["unit"]) if isinstance(extra, dict) else ""


def section_of(field: FieldInfo) -> type[BaseModel] | None:
    """The section that an entry opens, for `model` as for `camera`; None for a plain option."""
    kind = _bare(field.annotation)
    if get_origin(kind) is tuple:
        kind = get_args(kind)[0]
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def is_list_of_tables(field: FieldInfo) -> bool:
    """Whether the entry is written [[like this]], several times."""
    return section_of(field) is not None and get_origin(_bare(field.annotation)) is tuple


def choices(field: FieldInfo) -> tuple[str, ...]:
    """The texts among which an option chooses; empty when it is free."""
    kind = _bare(field.annotation)
    return get_args(kind) if get_origin(kind) is Literal else ()


def takes(field: FieldInfo) -> str:
    """What an option takes, as a noun with an article: "a number from 0.1 to 600 (seconds)"."""
    kind = _bare(field.annotation)
    if choices(field):
        quoted = [toml_value(choice) for choice in choices(field)]
        return "one of " + ", ".join(quoted) if len(quoted) > 1 else f"{quoted[0]}, which is the only choice"
    if kind is bool:
        return "true or false"
    if kind in (int, float):
        noun = "a whole number" if kind is int else "a number"
        return f"{noun} {limits(field)} ({unit(field)})" if unit(field) != "0..1" else f"{noun} {limits(field)}"
    if section_of(field):
        return "a list of tables" if is_list_of_tables(field) else "a table"
    if get_origin(kind) is tuple:
        return "a list of texts"
    if get_origin(kind) is list:
        return f"a list ({unit(field)})"
    if get_origin(kind) is dict:
        return "a table"
    return "a path in quotes" if kind is Path else "a text in quotes"


def takes_within(field: FieldInfo, depth: int) -> str:
    """What stands so many lists deep in what an option takes: for a list of texts, 1 deep, "a text in quotes"."""
    if depth == 0:
        return takes(field)
    kind = _bare(field.annotation)
    for _ in range(depth):
        kind = _bare(get_args(kind)[0])
    return "a list" if get_origin(kind) is list else "a number" if kind is float else "a text in quotes"


def takes_briefly(field: FieldInfo) -> str:
    """What an option takes, for a table: "seconds, 0.1 to 600"."""
    if choices(field):
        return ", ".join(toml_value(choice) for choice in choices(field))
    if unit(field) in ("0..1", "1..100") or not limits(field):
        return unit(field)
    return f"{unit(field)}, {limits(field).removeprefix('from ')}"


def limits(field: FieldInfo) -> str:
    """The range of a number: "from 0.1 to 600", "above 0, up to 1"; empty when it has none."""
    low = high = ""
    for limit in field.metadata:
        if isinstance(limit, Ge):
            low = f"from {limit.ge}"
        elif isinstance(limit, Gt):
            low = f"above {limit.gt}"
        elif isinstance(limit, Le):
            high = f"to {limit.le}"
    return f"{low}, up {high}" if low.startswith("above") else f"{low} {high}".strip()


def _bare(annotation: Any) -> Any:
    """Take Annotated and `| None` off a type."""
    while True:
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        elif get_origin(annotation) in (Union, types.UnionType):
            annotation = next(arm for arm in get_args(annotation) if arm is not type(None))
        else:
            return annotation
