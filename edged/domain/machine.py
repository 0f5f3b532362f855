"""What the machine says of itself: heat, throttling, power. What it does not say is None, never a number."""

from __future__ import annotations

from dataclasses import dataclass, field

THROTTLING = ("under_voltage", "frequency_capped", "throttled", "soft_temperature_limit")
"""What the firmware of a Raspberry Pi does or finds, in the order of the bits of get_throttled."""


@dataclass(frozen=True, slots=True)
class Throttling:
    """What a Raspberry Pi's firmware says; words of THROTTLING."""

    now: tuple[str, ...] = ()
    since_boot: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Watts:
    """What the machine draws, and who says so."""

    power_w: float
    source: str  # "INA3221 VDD_IN", "RAPL package-0", "PMIC, estimated"


@dataclass(frozen=True, slots=True)
class Vitals:
    """One reading of a machine's sensors."""

    temp_c: float | None = None  # of the hottest zone of the processor; None: unknown
    zone: str | None = None  # which one that is
    has_sensor: bool = False  # there is one, though it may not have answered
    throttling: Throttling | None = None  # None: this machine does not tell
    watts: Watts | None = None  # None: unknown


@dataclass(slots=True)
class MachineStatus:
    """The machine, as `edged status` shows it."""

    temp_c: float | None = None  # None: unknown
    temp_zone: str | None = None
    heat: str = "unknown"  # "ok", "warm", "stop", "unknown", "no sensor"
    budget: float = 1.0  # 0..1 of the detector's time
    throttling_now: list[str] | None = None  # words of THROTTLING; None: this machine does not tell
    throttling_since_boot: list[str] | None = None
    power_w: float | None = None  # None: unknown
    power_source: str | None = None
    memory_free_bytes: int | None = None
    disk_free_bytes: int | None = None  # where the event log is
    clock_synchronised: bool | None = None  # None: unknown
    warnings: list[str] = field(default_factory=list)  # what is wrong with the machine now, in sentences
