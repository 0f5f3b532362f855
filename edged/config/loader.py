"""Reads a configuration file and says everything that is wrong with it at once."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from edged.config.mistakes import list_mistakes
from edged.config.schema import Config, Folders
from edged.disk import read_file
from edged.domain.addresses import without_secrets
from edged.errors import ConfigError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_Kind = TypeVar("_Kind", bound=Folders)

_LARGEST_BYTES = 1 << 20
_START_HINT = "For a commented file to start from: edged check-config --example > edged.toml"


def load_config(path: Path) -> Config:
    """Read the file; relative paths in it count from its own folder. Raises ConfigError with all its mistakes."""
    return parse_config(_read_text(path), name=str(path), folder=path.absolute().parent)


def load_folders(path: Path) -> Folders:
    """Read only where the daemon keeps its things, whatever stands in the tables of the file. Raises ConfigError."""
    tables = _parse_toml(_read_text(path), str(path))
    above = {key: value for key, value in tables.items() if not isinstance(value, Mapping | list)}
    return _checked(Folders, above, name=str(path), folder=path.absolute().parent)


def parse_config(text: str, *, name: str, folder: Path) -> Config:
    """Check the TOML `text` of a file called `name`; relative paths in it count from `folder`. Raises ConfigError."""
    if not text.strip():
        raise ConfigError(f"{name} is empty.", hint=_START_HINT)
    return check_tables(_parse_toml(text, name), name=name, folder=folder)


def check_tables(tables: Mapping[str, Any], *, name: str, folder: Path) -> Config:
    """Check the plain tables of a file called `name`. Raises ConfigError."""
    return _checked(Config, tables, name=name, folder=folder)


def _checked(kind: type[_Kind], tables: Mapping[str, Any], *, name: str, folder: Path) -> _Kind:
    try:
        return kind.model_validate(tables, context={"folder": folder})
    except ValidationError as error:
        mistakes = list_mistakes(error, tables)
    count = "a mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
    raise ConfigError(
        f"{name} has {count}:\n" + "\n".join(f"  - {mistake}" for mistake in mistakes),
        hint="Every option is described in docs/configuration.md; `edged check-config FILE` checks a file again.",
    )


def _read_text(path: Path) -> str:
    data = _read_bytes(path)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ConfigError(f"{path} is UTF-16 text.", hint="Save it as UTF-8.")
    try:
        return data.decode("utf-8-sig")  # an editor on Windows may have put a byte order mark before the text
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"{path} is not UTF-8 text: line {line} holds the byte 0x{data[error.start]:02x}.",
            hint="Save it as UTF-8, or look whether this is the right file.",
        ) from None


def _read_bytes(path: Path) -> bytes:
    try:
        data = read_file(path, _LARGEST_BYTES + 1)
    except FileNotFoundError:
        raise ConfigError(f"There is no file {path}.", hint=_START_HINT) from None
    except IsADirectoryError:
        raise ConfigError(f"{path} is a folder.", hint="Name the configuration file in it.") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.", hint="Look at its path and rights.") from error
    if len(data) > _LARGEST_BYTES:
        raise ConfigError(f"{path} is larger than 1 MiB.", hint="That is no configuration file: look at the path.")
    return data


def _parse_toml(text: str, name: str) -> dict[str, Any]:
    try:
        tables: dict[str, Any] = tomllib.loads(text)
    except RecursionError:
        raise ConfigError(f"{name} has brackets in brackets, too deep to read.", hint="Mend the file.") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(_syntax_message(str(error), text, name), hint=_syntax_hint(str(error))) from None
    except ValueError as error:  # Python's own limit on the digits of a number
        raise ConfigError(f"{name} holds a number of absurd length: {error}.", hint="Mend the number.") from None
    return tables


def _syntax_message(problem: str, text: str, name: str) -> str:
    what, line_number, column = _position(problem, text)
    line = text.split("\n")[line_number - 1].rstrip("\r")
    if line != without_secrets(line):  # a column of a line that is shown otherwise tells nothing
        return f"{name}, line {line_number}: {what}.\n    {without_secrets(line)[:100]}"
    start = max(0, column - 60)  # of a long line, only the part around the mistake is shown
    excerpt = line[start : start + 100].replace("\t", " ")
    return f"{name}, line {line_number}, column {column}: {what}.\n    {excerpt}\n    {' ' * (column - 1 - start)}^"


def _position(problem: str, text: str) -> tuple[str, int, int]:
    """Split a parser's message into what is wrong, line and column; what names no place was met at the end."""
    found = re.fullmatch(r"(.*) \(at line (\d+), column (\d+)\)", problem, re.DOTALL)
    if found:
        return found[1], int(found[2]), int(found[3])
    text = text.rstrip()
    return problem.removesuffix(" (at end of document)"), text.count("\n") + 1, len(text) - text.rfind("\n")


def _syntax_hint(problem: str) -> str:
    if "Invalid value" in problem:
        return 'A text needs quotes: name = "yard". A number or true/false has none.'
    if "overwrite" in problem or "twice" in problem or "namespace" in problem:
        return "An option or table may stand in the file once; several cameras are written [[camera]]."
    return "TOML is explained at https://toml.io."
