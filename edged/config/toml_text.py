"""Writes values and keys as TOML 1.0 (https://toml.io/en/v1.0.0), the few kinds that edged's configuration holds."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from edged.domain.addresses import without_secrets

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_LONGEST_SHOWN = 60
_LARGEST_SHOWN = 10**30  # Python refuses to write integers of thousands of digits


def toml_key(key: str) -> str:
    """A key as it is written in TOML, quoted only where it must be."""
    return key if _BARE_KEY.fullmatch(key) else toml_value(key)


def toml_value(value: Any) -> str:
    """A text, path, number, boolean, list or table as it is written in TOML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | Path):
        return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")  # JSON leaves DEL bare
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml_value(item) for item in value) + "]"
    if isinstance(value, int) and abs(value) > _LARGEST_SHOWN:
        return "a huge number"
    if isinstance(value, dict):
        pairs = ", ".join(f"{toml_key(str(key))} = {toml_value(item)}" for key, item in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    return str(value)


def shown(value: Any) -> str:
    """A value for a message: as in the file, but never long, and without passwords."""
    if isinstance(value, str):
        text = toml_value(without_secrets(value))  # once in quotes, the end of a secret cannot be told
    else:
        text = "a table" if isinstance(value, dict) else without_secrets(toml_value(value))
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"
