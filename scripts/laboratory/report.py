"""What the laboratory found beside what edged promises."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Row:
    """One line of the table; `kept` is None where nothing is promised."""

    what: str
    found: str
    promised: str = ""
    kept: bool | None = None


@dataclass
class Report:
    """Collects the rows as they come, prints them, and keeps the measurements for the JSON file."""

    rows: list[Row] = field(default_factory=list)
    measured: dict[str, Any] = field(default_factory=dict)

    def section(self, title: str) -> None:
        """Begin a part of the table."""
        print(f"\n{title}", flush=True)

    def add(self, row: Row) -> None:
        """Add a line and print it."""
        self.rows.append(row)
        verdict = {True: "kept", False: "BROKEN", None: ""}[row.kept]
        line = f"  {row.what:<38} {row.found:<66} {row.promised:<34} {verdict}"
        print(line.rstrip(), flush=True)

    @property
    def broken(self) -> Sequence[Row]:
        """The lines that break a promise."""
        return [row for row in self.rows if row.kept is False]

    def conclude(self, seconds: float) -> int:
        """Print how it went, and return the exit code."""
        broken = len(self.broken)
        print(f"\n{broken or 'No'} promise{'s' * (broken > 1)} broken, in {seconds:.0f} s.")
        return 1 if broken else 0

    def write(self, path: Path) -> None:
        """Write rows and measurements as JSON."""
        content = {"rows": [asdict(row) for row in self.rows], "measured": self.measured}
        path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
