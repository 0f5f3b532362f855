"""Writes that may fail for a while, as on a full disk, and are no reason to stop watching."""

from __future__ import annotations

import logging
from collections.abc import Callable

from edged.errors import StoreNotWritable

log = logging.getLogger(__name__)


class ToldOnce:
    """Tries a write again and again; tells in the log when it begins to fail, not each time."""

    def __init__(self, *, steady_after: int = 1) -> None:
        """`steady_after` writes in a row must work before a failure is news again: a disk may come and go."""
        self._steady_after = self._worked = steady_after

    def __call__(self, write: Callable[[], None]) -> None:
        """Call `write`, which may raise StoreNotWritable."""
        try:
            write()
        except StoreNotWritable as error:
            if self._worked >= self._steady_after:
                log.error("%s", error)
            self._worked = 0
        else:
            self._worked += 1
