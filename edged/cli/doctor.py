"""`edged doctor`: whether the box is well, and how to fix what is not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from edged.cli.where import DEFAULT_CONFIG, ConfigOption

if TYPE_CHECKING:
    from edged.domain.checkup import Finding

EXIT_CODES = {"ok": 0, "unknown": 0, "warn": 8, "fail": 10}
_COLOURS = {
    "ok": typer.colors.GREEN,
    "unknown": typer.colors.BLUE,
    "warn": typer.colors.YELLOW,
    "fail": typer.colors.RED,
}


def doctor(
    config: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """Check cameras, model, disk, heat, supply, clock and watchdogs, and say how to fix what is wrong.

    A running daemon is not disturbed. The exit code is that of the worst line: 0 for ok or unknown, 8 for a warning, 10
    for a failure. Some checks need root.

    Example: sudo edged doctor
    """
    from edged import app

    worst = 0
    for finding in app.examine(config or DEFAULT_CONFIG):
        worst = max(worst, EXIT_CODES[finding.verdict.value])
        typer.echo(_as_json(finding) if as_json else _in_words(finding))
    if worst:
        raise typer.Exit(worst)


def _as_json(finding: Finding) -> str:
    record = {"what": finding.what, "verdict": finding.verdict.value, "text": finding.text, "mend": finding.mend}
    return json.dumps(record, ensure_ascii=False)


def _in_words(finding: Finding) -> str:
    verdict = finding.verdict.value
    first, *more = finding.text.splitlines()
    lines = [f"{typer.style(f'{verdict:<8}', fg=_COLOURS[verdict])}{finding.what:<18} {first}"]
    lines += [f"{'':<27}{line}" for line in more]
    if finding.mend is not None:
        lines += [f"{'':<27}→ {line.strip()}" for line in finding.mend.splitlines()]
    return "\n".join(lines)
