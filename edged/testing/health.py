"""What health is told by and tells, as a test wants it."""

from __future__ import annotations

from collections.abc import Callable

from edged.domain.machine import Vitals


class RecordingNotifier:
    """Implements ports.Notifier: keeps the lines that systemd would get. The lever is `watchdog_s`."""

    def __init__(self, *, watchdog_s: float | None = None) -> None:
        self.watchdog_s = watchdog_s
        self.lines: list[str] = []

    def ready(self) -> None:
        """See ports.Notifier."""
        self.lines.append("READY=1")

    def reloading(self, at: float) -> None:
        """See ports.Notifier."""
        self.lines.append("RELOADING=1")

    def alive(self) -> None:
        """See ports.Notifier."""
        self.lines.append("WATCHDOG=1")

    def status(self, text: str) -> None:
        """See ports.Notifier."""
        self.lines.append(f"STATUS={text}")

    def extend_timeout(self, for_s: float) -> None:
        """See ports.Notifier."""
        self.lines.append(f"EXTEND_TIMEOUT_USEC={round(for_s * 1e6)}")

    def stopping(self) -> None:
        """See ports.Notifier."""
        self.lines.append("STOPPING=1")


class ScriptedSensors:
    """Implements ports.Sensors. Levers: `vitals`, and `on_read`, which is called at each reading and may hang."""

    def __init__(self, vitals: Vitals | None = None, *, on_read: Callable[[], object] = lambda: None) -> None:
        self.vitals = vitals or Vitals()
        self.on_read = on_read

    def read(self) -> Vitals:
        """See ports.Sensors."""
        self.on_read()
        return self.vitals
