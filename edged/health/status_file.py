"""The status file: what the running daemon knows of itself, for `edged status` and other programs to read.

JSON, one object with the fields of DaemonStatus. It is replaced as a whole, so a reader never sees half of one; only on
a full disk, of which it should tell, is it overwritten in place, and a reader who meets half of one looks again. It is
not forced to the disk, since a status is worth nothing after a power cut.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from edged.disk import read_file
from edged.domain.health import CameraStatus, DaemonStatus, LastEnd, StoreStatus
from edged.domain.machine import MachineStatus
from edged.errors import DaemonNotRunning, StatusUnreadable, StoreNotWritable
from edged.health.failing import ToldOnce
from edged.health.replacing import replace_file

NAME = "status.json"

STALE_AFTER_S = 30.0
"""The daemon writes about once a second; one that has been silent for this long hangs."""

_STEADY_AFTER = 30  # writes, about half a minute

T = TypeVar("T")


def write_status(path: Path, status: DaemonStatus) -> None:
    """Replace the status file at `path`. Raises StoreNotWritable."""
    try:
        replace_file(path, json.dumps(status, default=_fields_of).encode(), to_disk=False)
    except OSError as error:
        raise StoreNotWritable(
            f"The status file {path} cannot be written: {error.strerror}.",
            hint="Look at the folder's rights and free space, or set runtime_dir in the configuration.",
        ) from error


def _fields_of(part: Any) -> dict[str, Any]:
    """A part of the status for json; dataclasses.asdict copies every leaf, and takes three times as long."""
    return {field.name: getattr(part, field.name) for field in fields(part)}


class StatusFile:
    """Writes each status to a file. A full disk is told once and does not end the daemon."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._told_once = ToldOnce(steady_after=_STEADY_AFTER)

    def __call__(self, status: DaemonStatus) -> None:
        """Replace the file."""
        self._told_once(lambda: write_status(self._path, status))


def read_status(path: Path) -> DaemonStatus:
    """Read the status file at `path`.

    Raises DaemonNotRunning when there is none and StatusUnreadable when it is no status of this version of edged.
    Fields that this version does not know are passed over.
    """
    try:
        return _daemon(_load(path))
    except FileNotFoundError:
        raise DaemonNotRunning(
            f"No daemon has written {path}.",
            hint="Start one with `edged run -c FILE`, or name the right configuration or data folder.",
        ) from None
    except OSError as error:
        raise StatusUnreadable(
            f"{path} cannot be read: {error.strerror}.", hint="Look at its rights, or ask as the daemon's user."
        ) from error
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise StatusUnreadable(
            f"{path} is no status of this version of edged ({type(error).__name__}: {error}).",
            hint="A running daemon replaces it within seconds; restart the daemon after an update.",
        ) from error


def process_is_alive(pid: int) -> bool:
    """Whether this machine runs a process of that number."""
    if pid <= 0:  # a group of processes to os.kill
        return False
    try:
        os.kill(pid, 0)
    except PermissionError:  # another user's
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return True


def trouble(status: DaemonStatus, *, wall_now: float, is_alive: Callable[[int], bool] = process_is_alive) -> str | None:
    """Say why the daemon that wrote `status` is not at work; None when it is.

    `wall_now` is in seconds since 1970-01-01 UTC.
    """
    age_s = wall_now - status.written_wall_at
    if status.state != "running":
        return status.state.rstrip(".")
    if not is_alive(status.pid):
        return f"its process {status.pid} is gone, without a word of farewell: killed, crashed, or the power was cut"
    if abs(age_s) > STALE_AFTER_S:
        return f"silent for {age_s:.0f} s: it hangs, the machine was restarted since, or the clock was set"
    return None


def _load(path: Path) -> Any:
    try:
        return json.loads(read_file(path))
    except ValueError:  # it may have been overwritten at that moment
        return json.loads(read_file(path))


def _daemon(content: Mapping[str, Any]) -> DaemonStatus:
    cameras = [_fill(CameraStatus, camera) for camera in content["cameras"]]
    end = content.get("last_end")
    parts = {
        "store": _fill(StoreStatus, content["store"]),
        "machine": _fill(MachineStatus, content.get("machine", {})),
        "last_end": None if end is None else _fill(LastEnd, end),
        "cameras": cameras,
    }
    return _fill(DaemonStatus, {**content, **parts})


def _fill(kind: type[T], content: Mapping[str, Any]) -> T:
    known = {field.name: str(field.type) for field in fields(kind)}  # type: ignore[arg-type]
    for name, type_name in known.items():
        if name in content and not _fits(content[name], type_name):
            raise TypeError(f"{name} is {content[name]!r}")
    return kind(**{name: value for name, value in content.items() if name in known})


def _fits(value: Any, type_name: str) -> bool:
    """Whether a JSON value fits a field; `type_name` is the annotation, such as "float | None"."""
    kinds: dict[str, type | tuple[type, ...]] = {"str": str, "int": int, "float": (int, float)}
    arms = [arm.strip() for arm in type_name.split("|")]
    if value is None:
        return "None" in arms
    return all(isinstance(value, kinds[arm]) for arm in arms if arm in kinds)
