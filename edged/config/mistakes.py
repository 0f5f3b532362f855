"""Turns what pydantic found wrong into sentences: where, what was given, what is allowed, what may have been meant."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from edged.config.contradictions import Place, contradictions
from edged.config.describe import choices, is_list_of_tables, section_of, takes, takes_within
from edged.config.schema import Config
from edged.config.toml_text import shown, toml_key


def list_mistakes(error: ValidationError, tables: Mapping[str, Any]) -> list[str]:
    """Say everything that is wrong with the file whose plain tables are given: a line each, in the file's order."""
    found = [(detail["loc"], _clause(detail)) for detail in error.errors(include_url=False) if detail["loc"]]
    found = [(place, clause) for place, clause in found if clause]
    found += contradictions(tables)
    rank = {place: number for number, place in enumerate(_places(tables))}
    found.sort(key=lambda one: max(rank.get(one[0][:depth], -1) for depth in (1, 2, 3)))
    return [f"{_where(place, tables)}: {clause}" for place, clause in found]


def _places(tables: Mapping[str, Any]) -> Iterator[Place]:
    for name, content in tables.items():
        yield (name,)
        items = enumerate(content) if isinstance(content, list) else content.items() if _is_table(content) else ()
        for step, item in items:
            yield (name, step)
            yield from ((name, step, key) for key in (item if _is_table(item) else ()))


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping)


def _clause(detail: Any) -> str:
    place, kind, value = detail["loc"], detail["type"], detail["input"]
    if kind == "extra_forbidden":
        return _unknown(place, value)
    field = _field_at(place)
    if field is None:
        return f"{shown(value)} is not a table"
    if section_of(field):
        return _wrong_table(place, field, kind, value)
    if kind == "missing":
        return f"missing; give {takes(field)}. {field.description}"
    if kind == "value_error":
        return f"{shown(value)} cannot be used: {detail['ctx']['error']}"
    return _not_allowed(place, field, kind, value)


def _not_allowed(place: Place, field: FieldInfo, kind: str, value: Any) -> str:
    if kind in ("string_pattern_mismatch", "string_too_long", "string_too_short"):
        return f"{shown(value)} cannot be used. {field.description}"
    if kind == "string_unicode":  # on the command line, not in the file
        return f"{shown(value)} cannot be used: it holds bytes that are not UTF-8. Rename it, or name a link to it."
    depth = sum(1 for _ in itertools.takewhile(lambda step: isinstance(step, int), reversed(place)))
    clause = f"{shown(value)} is not {takes_within(field, depth)}"
    return clause + (_did_you_mean(value, choices(field)) if isinstance(value, str) else "")


def _wrong_table(place: Place, field: FieldInfo, kind: str, value: Any) -> str:
    key = str(place[0])
    if kind == "too_short" and value:  # pydantic counts the tables that have mistakes of their own as absent
        return ""
    if kind in ("too_short", "missing"):
        return f"there is none: give at least one [[{key}]]"
    if kind == "too_long":
        return "there are too many"
    if is_list_of_tables(field) and _is_table(value):
        return f"write [[{key}]], with two brackets: there can be several"
    brackets = f"[[{key}]]" if is_list_of_tables(field) else f"[{key}]"
    return f"{shown(value)} is not a table: write {brackets} on a line, and its options below"


def _unknown(place: Place, value: Any) -> str:
    key, section = str(place[-1]), _section_at(place[:-1])
    near = _did_you_mean(key, list(section.model_fields))
    return f"there is no such {'table' if _is_table(value) else 'option'}" + (near or _elsewhere(key))


def _elsewhere(key: str) -> str:
    """Say where an option stands that was written in the wrong section."""
    for name, field in Config.model_fields.items():
        section = section_of(field)
        if section is not None and key in section.model_fields:
            return f"; it belongs under [[{name}]]" if is_list_of_tables(field) else f"; it belongs under [{name}]"
    return "; it belongs at the top of the file, above all [tables]" if key in Config.model_fields else ""


def _did_you_mean(word: str, known: Sequence[str]) -> str:
    by_lower = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word.lower(), by_lower, n=1)
    return f'; did you mean "{by_lower[near[0]]}"?' if near else ""


def _section_at(place: Sequence[str | int]) -> type[BaseModel]:
    section: type[BaseModel] = Config
    for step in place:
        field = section.model_fields.get(step) if isinstance(step, str) else None
        section = (section_of(field) if field is not None else None) or section
    return section


def _field_at(place: Place) -> FieldInfo | None:
    """The option at a place: for camera[0].labels[1] it is `labels`."""
    names = [step for step in place if isinstance(step, str)]
    return _section_at(names[:-1]).model_fields.get(names[-1]) if names else None


def _where(place: Place, tables: Mapping[str, Any]) -> str:
    """The place as people write it: camera[1].frame_timeout_s (camera "yard")."""
    path = ""
    for step in place:
        path += (
            f"[{step}]"
            if isinstance(step, int)
            else ("." if path else "") + toml_key(step if len(step) <= 60 else step[:59] + "…")
        )
    return path + _camera_name(place, tables)


def _camera_name(place: Place, tables: Mapping[str, Any]) -> str:
    if len(place) < 3 or place[0] != "camera" or not isinstance(place[1], int):
        return ""
    name = tables["camera"][place[1]].get("name")
    return f" (camera {shown(name)})" if isinstance(name, str) and place[2] != "name" else ""
