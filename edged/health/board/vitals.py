"""All sensors of whatever board this is, in one reading."""

from __future__ import annotations

from pathlib import Path

from edged.clock import Clock
from edged.domain.machine import Throttling, Vitals, Watts
from edged.health.board.pi import Firmware
from edged.health.board.power import Rapl, ina3221_watts, under_voltage
from edged.health.board.zones import thermal_zones
from edged.health.programs import Ask


class BoardSensors:
    """Implements ports.Sensors with what this machine has."""

    def __init__(self, *, clock: Clock, root: Path = Path("/"), ask: Ask | None = None) -> None:
        """`root` is where sys lies; `ask` runs vcgencmd."""
        self._root = root
        self._firmware = Firmware(clock=clock, ask=ask)
        self._rapl = Rapl(clock=clock, root=root)

    def read(self) -> Vitals:
        """See ports.Sensors."""
        zones = thermal_zones(self._root)
        temp_c, zone = (zones[0].temp_c, zones[0].type) if zones else (None, None)
        if temp_c is None:
            temp_c = self._firmware.temp_c()
            zone = zone if temp_c is None else "vcgencmd"
        return Vitals(
            temp_c=temp_c,
            zone=zone,
            has_sensor=bool(zones) or temp_c is not None,
            throttling=self._throttling(),
            watts=self.watts(),
        )

    def watts(self) -> Watts | None:
        """What the machine draws; None where nobody tells. RAPL's is the mean since the last call."""
        return ina3221_watts(self._root) or self._firmware.watts() or self._rapl.watts()

    def _throttling(self) -> Throttling | None:
        told = self._firmware.throttling()
        if told is not None:
            return told
        is_low = under_voltage(self._root)
        return None if is_low is None else Throttling(now=("under_voltage",) if is_low else ())
