"""Tells systemd how the daemon does: the protocol of sd_notify(3)."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping

from sdnotify import SystemdNotifier

from edged.ports import Notifier

log = logging.getLogger(__name__)

_SEND_WITHIN_S = 1.0  # when systemd itself hangs its socket fills up, and detection goes on all the same


class SystemdSocket:
    """Implements ports.Notifier over the socket that systemd names in NOTIFY_SOCKET."""

    def __init__(self, *, watchdog_s: float | None = None, send_within_s: float = _SEND_WITHIN_S) -> None:
        """Raises OSError where nobody listens on that socket, KeyError or TypeError where none is named."""
        self.watchdog_s = watchdog_s
        self._systemd = SystemdNotifier(debug=True)  # so that it raises
        self._systemd.socket.settimeout(send_within_s)
        self._failing = False

    def ready(self) -> None:
        """See ports.Notifier."""
        self._send("READY=1")

    def reloading(self, at: float) -> None:
        """See ports.Notifier."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={round(at * 1e6)}")

    def alive(self) -> None:
        """See ports.Notifier."""
        self._send("WATCHDOG=1")

    def status(self, text: str) -> None:
        """See ports.Notifier."""
        # The package sends Latin-1 while systemd reads UTF-8: ASCII is both.
        line = " ".join(text.split())
        self._send("STATUS=" + line.replace("°", "").encode("ascii", "replace").decode("ascii"))

    def extend_timeout(self, for_s: float) -> None:
        """See ports.Notifier."""
        self._send(f"EXTEND_TIMEOUT_USEC={round(for_s * 1e6)}")

    def stopping(self) -> None:
        """See ports.Notifier."""
        self._send("STOPPING=1")

    def close(self) -> None:
        """Let go of the socket."""
        self._systemd.socket.close()

    def _send(self, line: str) -> None:
        try:
            self._systemd.notify(line)
        except OSError as error:
            if not self._failing:
                log.error("systemd does not hear what edged tells it (%s): %s", line.partition("=")[0], error)
            self._failing = True
        else:
            self._failing = False


class Nobody:
    """Implements ports.Notifier where nobody asked to be told: a terminal, a container."""

    watchdog_s: float | None = None

    def ready(self) -> None:
        """See ports.Notifier."""

    def reloading(self, at: float) -> None:
        """See ports.Notifier."""

    def alive(self) -> None:
        """See ports.Notifier."""

    def status(self, text: str) -> None:
        """See ports.Notifier."""

    def extend_timeout(self, for_s: float) -> None:
        """See ports.Notifier."""

    def stopping(self) -> None:
        """See ports.Notifier."""


def find_notifier(environment: Mapping[str, str] = os.environ) -> Notifier:
    """Return the one who started this process, as systemd's variables in the environment name it."""
    if not environment.get("NOTIFY_SOCKET"):
        return Nobody()
    try:
        return SystemdSocket(watchdog_s=_watchdog_s(environment))
    except OSError as error:
        log.error("nobody listens on NOTIFY_SOCKET (%s): %s", environment["NOTIFY_SOCKET"], error)
        return Nobody()


def _watchdog_s(environment: Mapping[str, str]) -> float | None:
    """See sd_watchdog_enabled(3): the time is meant for the process that is named, or for whoever reads it."""
    microseconds, pid = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID")
    if not microseconds.isdecimal() or int(microseconds) == 0 or pid not in (None, "", str(os.getpid())):
        return None
    return int(microseconds) / 1e6
