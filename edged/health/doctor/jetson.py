"""The clocks of a Jetson."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from edged.domain.checkup import Finding, ok, unknown, warn
from edged.health.board.files import read_number
from edged.health.doctor.system import Ask


def gpu_clocks(ask: Ask, root: Path = Path("/")) -> Iterator[Finding]:
    """Judge power mode and clocks; nothing is said of what is no Jetson.

    `nvpmodel -q` prints `NV Power Mode: MAXN` and the mode's number below. The GPU is the devfreq device whose name
    says so; jetson_clocks sets its lowest clock to the highest.
    """
    if not (root / "etc/nv_tegra_release").exists():
        return
    mode = ask(["nvpmodel", "-q"])
    name = next((line.partition(":")[2].strip() for line in (mode or "").splitlines() if "Power Mode" in line), None)
    if name is None:
        yield unknown("power mode", "nvpmodel does not answer", "sudo nvpmodel -q")
    elif name.startswith("MAXN"):
        yield ok("power mode", name)
    else:
        yield warn("power mode", f"{name}: not the fastest", "sudo nvpmodel -m 0, if heat and supply allow it")
    for device in sorted((root / "sys/class/devfreq").glob("*gpu*")):
        lowest, highest = read_number(device / "min_freq"), read_number(device / "max_freq")
        if lowest is None or highest is None:
            yield unknown("GPU clock", f"{device.name} does not answer")
        elif lowest < highest:
            yield warn(
                "GPU clock", f"from {lowest / 1e6:.0f} to {highest / 1e6:.0f} MHz, by load", "sudo jetson_clocks"
            )
        else:
            yield ok("GPU clock", f"fixed at {highest / 1e6:.0f} MHz")
