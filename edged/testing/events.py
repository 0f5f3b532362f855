"""An event log that forgets when the process ends."""

from __future__ import annotations

import threading

from edged.domain.events import CameraEvent, Event, MachineEvent, TrackEvent


class MemorySink:
    """Keeps what it is given, in order. Any thread may put."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.snapshots: list[bytes | None] = []  # parallel to events
        self._lock = threading.Lock()

    def put(self, event: Event, snapshot_jpeg: bytes | None) -> None:
        with self._lock:
            self.events.append(event)
            self.snapshots.append(snapshot_jpeg)

    @property
    def track_events(self) -> list[TrackEvent]:
        """What objects did, in order."""
        return [event for event in self.events if isinstance(event, TrackEvent)]

    @property
    def camera_events(self) -> list[CameraEvent]:
        """What befell cameras, in order."""
        return [event for event in self.events if isinstance(event, CameraEvent)]

    @property
    def machine_events(self) -> list[MachineEvent]:
        """What befell the machine, in order."""
        return [event for event in self.events if isinstance(event, MachineEvent)]
