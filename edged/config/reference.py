"""Writes the tables of docs/configuration.md from the schema: `python -m edged.config`."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from edged.config.describe import is_list_of_tables, section_of, takes_briefly
from edged.config.schema import Config
from edged.config.toml_text import toml_value


def reference() -> str:
    """Every option of the configuration as Markdown, one table a section."""
    return "\n".join(_sections()) + "\n"


def _sections() -> Iterator[str]:
    yield from ("## Top of the file", "", "These stand above all tables.", "")
    yield from _table(Config)
    for name, field in Config.model_fields.items():
        section = section_of(field)
        if section is not None:
            title = f"[[{name}]]" if is_list_of_tables(field) else f"[{name}]"
            yield from ("", f"## `{title}`", "", f"{field.description}", "")
            yield from _table(section)


def _table(section: type[BaseModel]) -> Iterator[str]:
    yield "| option | takes | default | meaning |"
    yield "|---|---|---|---|"
    for key, field in section.model_fields.items():
        if section_of(field) is None:
            yield f"| `{key}` | {takes_briefly(field)} | {_default(field)} | {field.description} |"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "must be given"
    return "not set" if field.default is None else f"`{toml_value(field.default)}`"
