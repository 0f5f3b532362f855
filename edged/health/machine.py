"""What is told of the machine: sensors, memory, disk, clock, and what of it is wrong."""

from __future__ import annotations

from dataclasses import replace

import psutil

from edged.clock import Clock
from edged.domain.machine import MachineStatus
from edged.health.monitor import ThermalMonitor
from edged.health.run_keeper import RunKeeper

DISK_LOW_BYTES = 200_000_000


def machine_status(monitor: ThermalMonitor, keeper: RunKeeper, clock: Clock) -> MachineStatus:
    """Put it together. Asks nothing that may hang."""
    status = replace(
        monitor.status(),
        memory_free_bytes=_memory_free_bytes(),
        disk_free_bytes=keeper.disk_free_bytes,
        clock_synchronised=clock.synchronised(),
    )
    return replace(status, warnings=_warnings(status))


def _warnings(status: MachineStatus) -> list[str]:
    told = []
    if status.heat in ("warm", "stop"):
        told.append(f"it is too hot: inference gets {status.budget:.0%} of its time")
    if status.heat == "unknown":
        told.append(f"the temperature is unknown, its sensor is silent: inference gets {status.budget:.0%} of its time")
    told += [f"the firmware reports {word.replace('_', ' ')}" for word in status.throttling_now or ()]
    if status.disk_free_bytes is not None and status.disk_free_bytes < DISK_LOW_BYTES:
        told.append(f"the disk is nearly full: {status.disk_free_bytes / 1e6:.0f} MB are free")
    return told


def _memory_free_bytes() -> int | None:
    try:
        return int(psutil.virtual_memory().available)
    except (OSError, RuntimeError):  # a sandbox without /proc/meminfo
        return None
