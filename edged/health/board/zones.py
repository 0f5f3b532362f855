"""The kernel's thermal zones: Documentation/driver-api/thermal/sysfs-api.rst."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from edged.health.board.files import entries, read_number, read_text

_PROCESSOR = re.compile(r"cpu|gpu|soc|tj|pkg_temp|coretemp|k10temp|bcm2835|dla|cv\d", re.IGNORECASE)
_SENSIBLE_C = (-40.0, 130.0)
"""What silicon that runs may be at. A zone that says something else is broken: 0.001 and -273 are common ones."""


@dataclass(frozen=True, slots=True)
class ThermalZone:
    """One zone of /sys/class/thermal."""

    type: str
    temp_c: float | None  # None: it does not answer, or not sensibly


def thermal_zones(root: Path = Path("/")) -> list[ThermalZone]:
    """The zones of the processor, the hottest first and the silent last; all zones where none is known for one.

    A Jetson's cv and dla zones answer EAGAIN while their part of the chip is off. Zones of batteries, radios, power
    chips and fans (Tboard, PMIC-Die, iwlwifi, pch, nvme ...) say nothing of the processor: one of them always says 100.
    """
    zones = [_zone(folder) for folder in entries(f"{root}/sys/class/thermal", "thermal_zone")]
    of_processor = [zone for zone in zones if _PROCESSOR.search(zone.type)]
    return sorted(of_processor or zones, key=lambda zone: -1000.0 if zone.temp_c is None else zone.temp_c, reverse=True)


def _zone(folder: str) -> ThermalZone:
    millidegrees = read_number(f"{folder}/temp")
    temp_c = None if millidegrees is None else millidegrees / 1000.0
    low_c, high_c = _SENSIBLE_C
    is_sensible = temp_c is not None and low_c <= temp_c <= high_c and temp_c != 0.0
    return ThermalZone(read_text(f"{folder}/type") or os.path.basename(folder), temp_c if is_sensible else None)
