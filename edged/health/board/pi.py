"""What the firmware of a Raspberry Pi says, through its vcgencmd.

https://www.raspberrypi.com/documentation/computers/os.html#vcgencmd
"""

from __future__ import annotations

import re
from functools import partial

from edged.clock import Clock
from edged.domain.machine import THROTTLING, Throttling, Watts
from edged.health.programs import Ask, ask_program

_ANSWER_WITHIN_S = 2.0  # it takes 5 ms; the firmware's mailbox may be stuck
_ASK_AGAIN_AFTER_S = 60.0
_SINCE_BOOT = 16
_RAIL = re.compile(r"^\s*(\w+?)_([AV])\s+(?:current|volt)\(\d+\)=(\d+(?:\.\d+)?)[AV]\s*$", re.MULTILINE)


class Firmware:
    """Asks the firmware, and leaves it alone for a minute after a question that it did not answer.

    So a machine without vcgencmd, a user who may not ask and a firmware that hangs cost next to nothing.
    """

    def __init__(self, *, clock: Clock, ask: Ask | None = None) -> None:
        self._clock = clock
        self._run = ask or partial(ask_program, within_s=_ANSWER_WITHIN_S)
        self._ask_at: dict[str, float] = {}  # not before

    def temp_c(self) -> float | None:
        """The chip's temperature: `temp=48.3'C`."""
        found = re.match(r"temp=(-?\d+(?:\.\d+)?)'C", self._ask("measure_temp"))
        return None if found is None else float(found[1])

    def throttling(self) -> Throttling | None:
        """What is limited now, and was since the boot: `throttled=0x50005`."""
        found = re.match(r"throttled=0x([0-9a-fA-F]+)\s*$", self._ask("get_throttled"))
        return None if found is None else decode_throttled(int(found[1], 16))

    def watts(self) -> Watts | None:
        """What a Pi 5 draws, by its power chip: the sum over its rails of current times voltage.

        The chip sees neither its own losses nor the board's. The published fit W = 1.1451 x sum + 0.5879 allows for
        them, so this is an estimate.
        """
        rails: dict[str, dict[str, float]] = {}
        for name, unit, value in _RAIL.findall(self._ask("pmic_read_adc")):
            rails.setdefault(name, {})[unit] = float(value)
        powers = [rail["A"] * rail["V"] for rail in rails.values() if len(rail) == 2]
        return Watts(round(1.1451 * sum(powers) + 0.5879, 2), "PMIC, estimated") if powers else None

    def _ask(self, word: str) -> str:
        now = self._clock.monotonic()
        if now < self._ask_at.get(word, now):
            return ""
        answer = self._run(["vcgencmd", word])
        if answer is None:
            self._ask_at[word] = now + _ASK_AGAIN_AFTER_S
        return answer or ""


def decode_throttled(bits: int) -> Throttling:
    """Bits 0 to 3 are now, 16 to 19 since the boot, each in the order of THROTTLING."""
    return Throttling(now=_words(bits), since_boot=_words(bits >> _SINCE_BOOT))


def _words(bits: int) -> tuple[str, ...]:
    return tuple(word for index, word in enumerate(THROTTLING) if bits >> index & 1)
