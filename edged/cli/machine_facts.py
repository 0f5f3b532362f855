"""What `edged status` shows of the machine."""

from __future__ import annotations

from edged.cli.durations import in_words
from edged.domain.health import LastEnd
from edged.domain.machine import MachineStatus

_CLOCK = {True: "synchronised", False: "NOT synchronised: times of events may be wrong", None: "unknown"}


def machine_facts(machine: MachineStatus, rss_bytes: int) -> list[tuple[str, str]]:
    """Names and facts; what nobody knows is said to be unknown."""
    memory = f"{rss_bytes / 1e6:.0f} MB"
    if machine.memory_free_bytes is not None:
        memory += f", {machine.memory_free_bytes / 1e6:.0f} MB free in the machine"
    disk = "unknown" if machine.disk_free_bytes is None else f"{machine.disk_free_bytes / 1e9:.1f} GB free"
    facts = [("memory", memory), ("disk", disk), ("heat", _heat(machine)), ("power", _power(machine))]
    if machine.throttling_now is not None:
        facts.append(("throttling", _throttling(machine)))
    return [*facts, ("clock", _CLOCK[machine.clock_synchronised])]


def last_end_fact(end: LastEnd | None) -> str:
    """Why the run before this one ended."""
    if end is None:
        return "this is the first run"
    return f"by {end.reason} after {in_words(end.uptime_s)}: {end.detail.rstrip('.')}"


def _heat(machine: MachineStatus) -> str:
    temperature = "unknown" if machine.temp_c is None else f"{machine.temp_c:.1f} °C ({machine.temp_zone})"
    if machine.heat == "no sensor":
        temperature = "no sensor"
    return f"{temperature}, inference may use {machine.budget:.0%} of its time"


def _power(machine: MachineStatus) -> str:
    return "unknown" if machine.power_w is None else f"{machine.power_w:.1f} W ({machine.power_source})"


def _throttling(machine: MachineStatus) -> str:
    now, before = machine.throttling_now or [], machine.throttling_since_boot or []
    words = [f"NOW {_words(now)}"] if now else ["none now"]
    return "; ".join([*words, *([f"since the boot {_words(before)}"] if before else [])])


def _words(flags: list[str]) -> str:
    return ", ".join(flag.replace("_", " ") for flag in flags)
