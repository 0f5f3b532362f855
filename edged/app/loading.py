"""Tells of a model that takes minutes to load."""

from __future__ import annotations

import logging

from edged.ports import Notifier

log = logging.getLogger(__name__)

PATIENCE_S = 300.0
"""How long systemd is to wait for the next word. A builder may be silent for a minute over one layer."""


class LoadingNews:
    """Passes progress on to the log and to systemd, which would end a start that takes too long."""

    def __init__(self, notifier: Notifier) -> None:
        self._notifier = notifier

    def __call__(self, text: str) -> None:
        """Take one line. Any thread, one at a time."""
        log.info("%s", text)
        self._notifier.status(text)
        self._notifier.extend_timeout(PATIENCE_S)
