"""The record of a run: how it went, so that the next one can say why it ended.

`run.json` in the data folder is replaced every ten minutes, more often at the beginning, and at the end. It goes to the
disk each time. What a later status file says, which outlives the process but not the machine, comes before it.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from edged.disk import read_file
from edged.domain.health import LastEnd
from edged.errors import DaemonHung, StoreNotWritable
from edged.health.replacing import replace_file

log = logging.getLogger(__name__)

NAME = "run.json"
SERVICE_RESULT_NAME = "service-result"
"""What the unit's ExecStopPost leaves when the service has ended: a line with $SERVICE_RESULT $EXIT_CODE $EXIT_STATUS,
in words of systemd.exec(5), and one with the id of the boot."""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run as it was last heard of."""

    run_id: str
    boot_id: str
    pid: int
    version: str
    started_wall_at: float  # seconds since 1970-01-01 UTC
    written_wall_at: float  # seconds since 1970-01-01 UTC
    uptime_s: float
    state: str  # "running", "stopped", "failed: …", "crashed: …", "hung: …"
    summary: str  # in_one_line() of its last status


def write_record(folder: Path, record: RunRecord) -> None:
    """Replace the record, on the disk when this returns. Raises StoreNotWritable.

    What systemd said of the run before is forgotten with it, so that it is never taken for this one's.
    """
    path = folder / NAME
    try:
        (folder / SERVICE_RESULT_NAME).unlink(missing_ok=True)
        replace_file(path, json.dumps(asdict(record)).encode(), to_disk=True)
    except OSError as error:
        raise StoreNotWritable(
            f"The record of this run, {path}, cannot be written: {error.strerror}.",
            hint="Look at the data folder's rights and free space.",
        ) from error


def read_record(folder: Path) -> RunRecord | None:
    """The record of the last run; None where there is none, or none that makes sense."""
    try:
        content = json.loads(read_file(folder / NAME))
        known = {field.name for field in fields(RunRecord)}
        record = RunRecord(**{name: value for name, value in content.items() if name in known})
        return replace(
            record,
            state=str(record.state),
            summary=str(record.summary),
            uptime_s=float(record.uptime_s),
            written_wall_at=float(record.written_wall_at),
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        log.warning("the record of the last run cannot be read: %s", error)
        return None


def read_service_result(folder: Path) -> str:
    """What systemd said of the last end; empty where it said nothing."""
    try:
        return read_file(folder / SERVICE_RESULT_NAME).decode("utf-8", "replace").strip()
    except OSError:
        return ""


def why_ended(record: RunRecord, service_result: str, *, boot_id: str) -> LastEnd:
    """Say why a run ended, from what it said itself, what systemd saw, and whether the machine was up since."""
    kind, _, words = record.state.partition(": ")
    told, _, told_in_boot = service_result.partition("\n")
    if told_in_boot not in ("", record.boot_id):  # of a start that failed after the power came back
        told = ""
    result, _, status = told.partition(" ")
    if kind == "stopped":
        reason, detail = "stop", "it was stopped, or its recordings had ended"
    elif kind == "hung":
        reason, detail = "watchdog", words
    elif kind == "failed":
        reason, detail = "failed", words
    elif kind == "crashed":
        reason, detail = "crash", words
    elif result:
        reason, detail = _by_systemd(result, status)
    elif record.boot_id != boot_id:
        reason, detail = (
            "power",
            "the machine went down under it: the power was cut, or the system crashed or was reset",
        )
    else:
        reason, detail = "unknown", "it was killed or crashed, and nobody noted how"
    return LastEnd(
        reason=reason,
        detail=detail,
        run_id=record.run_id,
        last_heard_wall_at=record.written_wall_at,
        uptime_s=record.uptime_s,
        summary=record.summary,
    )


def _by_systemd(result: str, status: str) -> tuple[str, str]:
    how = status.split(" ")[-1]
    told = {
        "success": ("stop", "it was stopped: systemd saw a clean end"),
        "watchdog": ("watchdog", "it told systemd of no progress: its main thread hung; the stacks are in the journal"),
        "oom-kill": ("oom", "the kernel killed it, since memory ran out"),
        "timeout": ("killed", "it took too long to start or to stop, and systemd killed it"),
        f"exit-code exited {DaemonHung.exit_code}": ("watchdog", "a part of it hung; its log says which, and where"),
        "exit-code": ("crash", f"it ended with exit code {how}"),
        "core-dump": ("crash", f"it crashed with signal {how}"),
        "signal": ("crash", f"it ended by signal {how}"),
    }
    if result == "signal" and how in ("KILL", "9"):
        return "killed", "somebody killed it, or the kernel did since memory ran out"
    return told.get(f"{result} {status}") or told.get(result, ("unknown", f"systemd calls it {result}"))
