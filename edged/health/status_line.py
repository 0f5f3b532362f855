"""How the daemon is, in one line: for `systemctl status`, and for the record of a run."""

from __future__ import annotations

from edged.clock import Clock
from edged.domain.health import DaemonStatus
from edged.domain.words import counted
from edged.ports import Notifier

_TELL_EVERY_S = 10.0


def in_one_line(status: DaemonStatus) -> str:
    """Say what matters most of a status, worst things included."""
    cameras = status.cameras
    lost = [camera.camera for camera in cameras if camera.state.startswith(("lost", "failed"))]
    words = [
        counted(len(cameras), "camera") + (f", without pictures: {', '.join(lost)}" * bool(lost)),
        f"{sum(camera.fps_in for camera in cameras):.1f} frames/s in",
        f"{sum(camera.fps_detected for camera in cameras):.1f} detected/s",
        f"{status.rss_bytes / 1e6:.0f} MB",
    ]
    machine = status.machine
    if machine.temp_c is not None:
        words.append(f"{machine.temp_c:.0f} °C")
    if machine.budget < 1.0:
        words.append(f"heat {machine.heat}: inference at {machine.budget:.0%}")
    if status.config_pending:
        words.append("a changed configuration is being prepared")
    if status.store.error:
        words.append(f"{counted(status.store.waiting, 'event waits', 'events wait')}: {status.store.error}")
    return "; ".join(words)


class StatusLine:
    """Tells each status to systemd, at most once in ten seconds."""

    def __init__(self, notifier: Notifier, *, clock: Clock) -> None:
        self._notifier = notifier
        self._clock = clock
        self._tell_at = clock.monotonic()
        self._state = ""

    def __call__(self, status: DaemonStatus) -> None:
        """Tell it, if the state is another one or it is time again."""
        now = self._clock.monotonic()
        if now < self._tell_at and status.state == self._state:
            return
        self._tell_at, self._state = now + _TELL_EVERY_S, status.state
        self._notifier.status(in_one_line(status) if status.state == "running" else status.state)
