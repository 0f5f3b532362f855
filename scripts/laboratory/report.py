"""What the laboratory found beside what edged promises."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NoReturn


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
    began: float = field(default_factory=time.monotonic)

    def section(self, title: str) -> None:
        """Begin a part of the table."""
        print(f"\n{title}", flush=True)

    def add(self, row: Row) -> None:
        """Add a line and print it."""
        self.rows.append(row)
        verdict = {True: "kept", False: "BROKEN", None: ""}[row.kept]
        line = f"  {row.what:<38} {row.found:<66} {row.promised:<34} {verdict}"
        print(line.rstrip(), flush=True)

    def end(self, path: Path | None, *, note: str = "") -> NoReturn:
        """Print how it went, write all as JSON where a file is wanted, and exit: with 1 when a promise is broken."""
        seconds = time.monotonic() - self.began
        self.measured["seconds"] = round(seconds)
        if path is not None:
            content = {"rows": [asdict(row) for row in self.rows], "measured": self.measured}
            path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
        broken = sum(row.kept is False for row in self.rows)
        print(f"\n{broken or 'No'} promise{'s' * (broken > 1)} broken, in {seconds:.0f} s{note}.")
        sys.exit(1 if broken else 0)
