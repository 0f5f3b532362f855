"""Several cameras, one detector: whose frame is next?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic

from edged.ports import Contender

_PASSED_OVER_MAX = 2  # times the number of cameras that compete


class Turns(Generic[Contender]):
    """Gives the next inference to the greatest need, and lets nobody starve.

    A camera that was passed over twice as often as there are competitors goes first, whatever the others need. So of N
    cameras that want the detector all the time, each has it at least once in 3 N turns. Equal needs go by who has been
    passed over more. A camera that does not compete is forgotten: lost cameras cost nothing.

    Implements edged.ports.InferenceTurns.
    """

    def __init__(self) -> None:
        self._passed_over: dict[Contender, int] = {}

    def choose(self, needs: Mapping[Contender, float]) -> Contender:
        """Say whose turn it is of those who want the detector, at least one."""
        if len(needs) == 1:
            self._passed_over.clear()
            return next(iter(needs))
        waited = {key: self._passed_over.get(key, 0) for key in needs}
        longest = max(waited, key=waited.__getitem__)
        starving = waited[longest] >= _PASSED_OVER_MAX * len(needs)
        chosen = longest if starving else max(needs, key=lambda key: (needs[key], waited[key]))
        self._passed_over = {key: count + 1 for key, count in waited.items() if key != chosen}
        return chosen
