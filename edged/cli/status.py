"""`edged status`: how the daemon is, on one screen."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edged.cli.holder import holder
from edged.cli.where import ConfigOption, DataOption, folders
from edged.clock import SystemClock
from edged.errors import DaemonDegraded, DaemonError, DaemonNotRunning
from edged.health.degraded import what_is_wrong
from edged.health.status_file import NAME, read_status, trouble

if TYPE_CHECKING:
    from edged.domain.health import DaemonStatus


def status(
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show the state of the daemon: cameras, frame rates, inference times, the event log, heat and power.

    The exit code, for scripts, is 0 when all is well, 8 when it runs but something is wrong (a camera is lost, events
    cannot be written, the machine is too hot), and 6 when it does not run.

    Example: edged status --data /var/lib/edged
    """
    data_dir, status_dir = folders(config, data)
    path = status_dir / NAME
    pid = holder(data_dir)
    try:
        found = read_status(path)
    except DaemonNotRunning as error:
        raise error if pid is None else _silent(pid, path, "missing") from None
    wall_now = SystemClock().wall()
    wrong = trouble(found, wall_now=wall_now)
    failed = None if wrong is None else _failed(wrong, found, pid, path)
    silent = failed is not None and not isinstance(failed, DaemonNotRunning)
    warnings = what_is_wrong(found) if failed is None else []
    if as_json:
        facts = {
            "running": failed is None or silent,
            "trouble": failed.message if failed and silent else wrong,
            "warnings": warnings,
        }
        age_s = round(wall_now - found.written_wall_at, 3)
        typer.echo(json.dumps({**facts, "age_s": age_s, **asdict(found)}))
    else:
        from edged.cli.status_screen import show

        state = found.state if failed is None else "running, but SILENT" if silent else "NOT RUNNING"
        show(found, f"{state}, process {pid if silent else found.pid}", wall_now=wall_now)
    if failed is not None:
        raise failed
    if warnings:
        raise DaemonDegraded(
            f"The daemon runs, but {'; '.join(warnings)}.", hint="Its log says more, and `edged events` since when."
        )


def _failed(wrong: str, found: DaemonStatus, pid: int | None, path: Path) -> DaemonError:
    """What to say of a status that is not good; `pid` is the process that works on the data folder."""
    stopping = found.pid == pid and found.state != "running"  # it said so, and has yet to let go of the folder
    if pid is not None and not stopping:
        return _silent(pid, path, "old")
    return DaemonNotRunning(
        f"The daemon is not running: {wrong}.",
        hint=f"What is shown is from its last word in {path}. Its log says more.",
    )


def _silent(pid: int, path: Path, how: str) -> DaemonError:
    return DaemonError(
        f"The daemon is running as process {pid}, but its status file {path} is {how}: is the disk full?",
        hint="Look at the free space (`df -h`) and at its log. If it has only just started, ask again; if its "
        "configuration has a runtime_dir, ask with -c FILE.",
    )
