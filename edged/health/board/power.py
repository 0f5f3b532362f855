"""Power from sysfs: a Jetson's INA3221 under hwmon, RAPL of an x86 processor, a Pi's low-voltage alarm."""

from __future__ import annotations

import os
from pathlib import Path

from edged.clock import Clock
from edged.domain.machine import Watts
from edged.health.board.files import entries, read_number, read_text

_INPUT_LABELS = ("VDD_IN", "POM_5V_IN", "VIN_SYS_5V0")  # the module's whole input on Orin and Xavier, Nano, older ones


def ina3221_watts(root: Path = Path("/")) -> Watts | None:
    """What a Jetson module draws: Documentation/hwmon/ina3221.rst; millivolts times milliamperes."""
    for chip in _hwmon(root, "ina3221"):
        for label_file in (path for path in entries(chip, "in") if path.endswith("_label")):
            label = read_text(label_file)
            number = os.path.basename(label_file)[2 : -len("_label")]
            millivolts = read_number(f"{chip}/in{number}_input")
            milliamperes = read_number(f"{chip}/curr{number}_input")
            if label in _INPUT_LABELS and millivolts is not None and milliamperes is not None:
                return Watts(round(millivolts * milliamperes / 1e6, 2), f"INA3221 {label}")
    return None


def under_voltage(root: Path = Path("/")) -> bool | None:
    """Whether a Pi's supply is too low, by drivers/hwmon/raspberrypi-hwmon.c; None where there is no such driver."""
    for chip in _hwmon(root, "rpi_volt"):
        alarm = read_number(f"{chip}/in0_lcrit_alarm")
        if alarm is not None:
            return alarm != 0
    return None


class Rapl:
    """What an x86 processor draws, from the energy that it counts: Documentation/power/powercap/powercap.rst.

    Only root may read the counter (CVE-2020-8694). It starts again at 0 when it has reached its range.
    """

    def __init__(self, *, clock: Clock, root: Path = Path("/")) -> None:
        self._clock = clock
        self._domain = f"{root}/sys/class/powercap/intel-rapl:0"
        self._last: tuple[float, float] | None = None  # when, and microjoules

    def watts(self) -> Watts | None:
        """The mean since the last call; None at the first, and where nobody may read it."""
        energy_uj = read_number(f"{self._domain}/energy_uj")
        before = self._last
        self._last = None if energy_uj is None else (self._clock.monotonic(), energy_uj)
        if before is None or self._last is None or self._last[0] <= before[0]:
            return None
        (began_at, began_uj), (ended_at, ended_uj) = before, self._last
        used_uj = ended_uj - began_uj
        if used_uj < 0:
            range_uj = read_number(f"{self._domain}/max_energy_range_uj")
            if range_uj is None:
                return None
            used_uj += range_uj
        name = read_text(f"{self._domain}/name") or "package"
        return Watts(round(used_uj / 1e6 / (ended_at - began_at), 2), f"RAPL {name}, processor only")


def _hwmon(root: Path, name: str) -> list[str]:
    chips = entries(f"{root}/sys/class/hwmon", "hwmon")
    return [chip for chip in chips if read_text(f"{chip}/name") == name]
