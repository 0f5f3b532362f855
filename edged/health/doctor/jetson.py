"""The clocks of a Jetson."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from edged.domain.checkup import Finding, ok, unknown, warn
from edged.health.board.files import read_number, read_text
from edged.health.programs import Ask


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
        number = _fastest_mode(root)
        mend = f"sudo nvpmodel -m {number}, if heat and supply allow it" if number else "sudo nvpmodel -p --verbose"
        yield warn("power mode", f"{name}: not the fastest", mend)
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


def _fastest_mode(root: Path) -> str | None:
    """Return the number of the mode MAXN, which is not 0 on every module: an Orin Nano Super has MAXN_SUPER = 2.

    Source: the format of /etc/nvpmodel.conf, `< POWER_MODEL ID=2 NAME=MAXN_SUPER >`.
    """
    modes = re.findall(
        r"^< *POWER_MODEL +ID=(\d+) +NAME=(\S+)", read_text(root / "etc/nvpmodel.conf") or "", re.MULTILINE
    )
    return max(((name, number) for number, name in modes if name.startswith("MAXN")), default=(None, None))[1]
