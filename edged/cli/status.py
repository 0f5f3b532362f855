"""`edged status`: how the daemon is, on one screen."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edged.cli.where import ConfigOption, DataOption, status_folder
from edged.clock import SystemClock
from edged.errors import DaemonNotRunning
from edged.health.status_file import NAME, read_status, trouble

if TYPE_CHECKING:
    from edged.domain.health import DaemonStatus


def status(
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show how the daemon is: cameras, frame rates, inference times, the event log.

    The exit code is 0 when it runs and 6 when it does not, so that a script can ask.

    Example: edged status --data /var/lib/edged
    """
    path = status_folder(config, data) / NAME
    found = read_status(path)
    wall_now = SystemClock().wall()
    wrong = trouble(found, wall_now=wall_now)
    if as_json:
        age_s = round(wall_now - found.written_wall_at, 3)
        typer.echo(json.dumps({"running": wrong is None, "trouble": wrong, "age_s": age_s, **asdict(found)}))
    else:
        from edged.cli.status_screen import show

        show(found, wrong, wall_now=wall_now)
    if wrong is not None:
        raise _not_running(path, found, wrong)


def _not_running(path: Path, found: DaemonStatus, wrong: str) -> DaemonNotRunning:
    return DaemonNotRunning(
        f"The daemon is not running: {wrong}.",
        hint=f"What is shown is from its last word in {path}. Its log says more: journalctl -u edged",
    )
