"""Writes a configuration out in full, so that a person sees what holds and what was changed."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from edged.config.describe import is_list_of_tables, section_of, takes_briefly
from edged.config.schema import Config
from edged.config.toml_text import toml_value
from edged.domain.addresses import scheme, without_secrets

_HEADER = """\
# The whole configuration as edged understands it.
# "changed" marks what differs from the default; an option behind a # is not set.
"""


def effective(config: Config) -> str:
    """The configuration as TOML with every option described.

    It loads again to an equal Config, but for what without_secrets() hides in addresses.
    """
    return _HEADER + "\n".join(_lines(config))


def changes(config: Config) -> list[str]:
    """What differs from the defaults outside the cameras, a line each: `tracker.lost_after_s = 2.0 (default: 1.0)`."""
    found = []
    for name, field in Config.model_fields.items():
        value = getattr(config, name)
        if section_of(field) is None:
            found += _change(name, field, value)
        elif not is_list_of_tables(field):
            for key, inner in type(value).model_fields.items():
                found += _change(f"{name}.{key}", inner, getattr(value, key))
    return found


def _change(path: str, field: FieldInfo, value: object) -> list[str]:
    if value == field.default:
        return []
    return [f"{path} = {'not set' if value is None else toml_value(value)} ({_default(field)})"]


def _lines(config: Config) -> Iterator[str]:
    yield from _options(config)
    for name, field in Config.model_fields.items():
        if section_of(field) is None:
            continue
        tables = getattr(config, name) if is_list_of_tables(field) else [getattr(config, name)]
        for table in tables:
            yield ""
            yield f"# {field.description}"
            yield f"[[{name}]]" if is_list_of_tables(field) else f"[{name}]"
            yield from _options(table)


def _options(table: BaseModel) -> Iterator[str]:
    for key, field in type(table).model_fields.items():
        if section_of(field) is None:
            yield ""
            yield f"# {field.description} ({takes_briefly(field)})"
            yield _assignment(key, field, getattr(table, key))


def _assignment(key: str, field: FieldInfo, value: object) -> str:
    if value is None:
        return f"# {key} ="
    changed = "" if field.is_required() or value == field.default else f"  # changed; {_default(field)}"
    if isinstance(value, str) and scheme(value) is not None:  # a file's name hides nothing
        value = without_secrets(value)
    return f"{key} = {toml_value(value)}{changed}"


def _default(field: FieldInfo) -> str:
    return "default: not set" if field.default is None else f"default: {toml_value(field.default)}"
