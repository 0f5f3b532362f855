"""Reads the tables of a TOML file and remembers every mistake, so that all can be said at once."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Kind(Generic[T]):
    """What a value may be."""

    expected: str  # in words, for the message
    example: T  # a right value, taken in place of a wrong one so that reading goes on
    read: Callable[[Any], T]  # TOML value → what it means; raises ValueError when it is none of this kind


class Table:
    """One table of the file."""

    def __init__(self, values: object, path: str, mistakes: list[str]) -> None:
        """`path` names the table in messages; mistakes are appended to `mistakes`, a line each."""
        self._path = path
        self._mistakes = mistakes
        self._asked: list[str] = []
        self._values: Mapping[str, Any] = {}
        if isinstance(values, Mapping):
            self._values = values
        else:
            self._mistakes.append(f"{path} = {values!r}: expected a table [{path}]")

    def required(self, key: str, kind: Kind[T]) -> T:
        """Read the value at `key`; its absence is a mistake."""
        if key not in self._values:
            self._asked.append(key)
            self._mistakes.append(f"{self._where(key)} is missing: expected {kind.expected}")
            return kind.example
        return self.optional(key, kind, kind.example)

    def optional(self, key: str, kind: Kind[T], default: T) -> T:
        """Read the value at `key`, or take the default."""
        self._asked.append(key)
        if key not in self._values:
            return default
        try:
            return kind.read(self._values[key])
        except (ValueError, OverflowError):  # a whole number too large for a float
            self._mistakes.append(f"{self._where(key)} = {self._values[key]!r}: expected {kind.expected}")
            return kind.example

    def table(self, key: str) -> Table:
        """Go into the table at `key`; an absent one counts as empty."""
        self._asked.append(key)
        return Table(self._values.get(key, {}), self._where(key), self._mistakes)

    def names(self) -> list[str]:
        """Which keys are there."""
        return list(self._values)

    def finish(self, *also: str) -> None:
        """Note the keys that nobody asked for; `also` might have been there."""
        known = list(dict.fromkeys([*self._asked, *also]))
        for key in self._values:
            if key in self._asked:
                continue
            close = difflib.get_close_matches(key, known, n=1)
            advice = f"did you mean {close[0]}?" if close else f"known here: {', '.join(known)}"
            self._mistakes.append(f"{self._where(key)} is unknown: {advice}")

    def _where(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key
