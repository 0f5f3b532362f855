"""Temperature and its causes: supply, fan, governor."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from edged.domain.checkup import Finding, ok, unknown, warn
from edged.domain.machine import Throttling, Vitals
from edged.health.board.files import read_number, read_text

_COOL = "Give the box air, a heat sink or a fan; or let edged detect less often: [scheduler] every."
_SUPPLY = "Use the board's own power supply (5 V, 3 A or more) and a short cable."
_PERFORMANCE = "echo performance | sudo tee /sys/devices/system/cpu/cpufreq/policy*/scaling_governor"
_FAN_FROM_C = 60.0


def temperature(vitals: Vitals, *, warn_c: float) -> Finding:
    """Judge how warm the processor is."""
    if vitals.temp_c is None:
        said = "its sensor does not answer" if vitals.has_sensor else "this machine has no sensor"
        return unknown("temperature", said)
    text = f"{vitals.temp_c:.0f} °C ({vitals.zone})"
    return ok("temperature", text) if vitals.temp_c < warn_c else warn("temperature", text, _COOL)


def supply(throttling: Throttling | None) -> Finding:
    """Judge whether the supply is strong enough, and whether the firmware slows the board down."""
    if throttling is None:
        return unknown("supply", "this machine does not tell of under-voltage")
    words = [f"{word.replace('_', ' ')} now" for word in throttling.now]
    words += [
        f"{word.replace('_', ' ')} since the boot" for word in throttling.since_boot if word not in throttling.now
    ]
    if not words:
        return ok("supply", "no under-voltage and no throttling since the boot")
    is_supply = "under_voltage" in (*throttling.now, *throttling.since_boot)
    return warn("supply", ", ".join(words), _SUPPLY if is_supply else _COOL)


def governor(root: Path = Path("/")) -> Finding:
    """Judge how the processor's clock is chosen."""
    policies = sorted((root / "sys/devices/system/cpu/cpufreq").glob("policy*"))
    names = {name for policy in policies if (name := read_text(policy / "scaling_governor")) is not None}
    if not names:
        return unknown("governor", "the kernel does not set the processor's clock here")
    text = ", ".join(sorted(names))
    if "powersave" in names and not _is_pstate(policies):
        return warn("governor", f"{text}: the processor stays at its lowest clock", _PERFORMANCE)
    return ok("governor", text)


def fan(vitals: Vitals, root: Path = Path("/")) -> Iterator[Finding]:
    """Judge a fan that stands still though it is warm; nothing is said of a machine without one."""
    for chip in sorted((root / "sys/class/hwmon").glob("hwmon*")):
        for speed_file in sorted(chip.glob("fan*_input")):
            speed_rpm = read_number(speed_file)
            if speed_rpm is None:
                yield unknown("fan", f"{read_text(chip / 'name')} does not answer")
            elif speed_rpm == 0 and (vitals.temp_c or 0.0) >= _FAN_FROM_C:
                yield warn(
                    "fan", f"it stands still at {vitals.temp_c:.0f} °C", "Look at its plug, and for what blocks it."
                )
            else:
                yield ok("fan", f"{speed_rpm:.0f} a minute")


def _is_pstate(policies: list[Path]) -> bool:
    """Whether the processor chooses its clock by itself, and powersave means balanced: intel_pstate, amd-pstate-epp."""
    drivers = {read_text(policy / "scaling_driver") or "" for policy in policies}
    return any(driver.startswith(("intel_pstate", "amd-pstate")) for driver in drivers)
