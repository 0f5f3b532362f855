"""Writes that may fail for a while, as on a full disk, and are no reason to stop watching."""

from __future__ import annotations

import logging
from collections.abc import Callable

from edged.errors import StoreNotWritable

log = logging.getLogger(__name__)


class ToldOnce:
    """Tries a write again and again; tells in the log when it begins to fail, not each time."""

    def __init__(self) -> None:
        self._failing = False

    def __call__(self, write: Callable[[], None]) -> None:
        """Call `write`, which may raise StoreNotWritable."""
        try:
            write()
        except StoreNotWritable as error:
            if not self._failing:
                log.error("%s", error)
            self._failing = True
        else:
            self._failing = False
