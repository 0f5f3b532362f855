"""Events that wait to be written."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass

from edged.domain.events import Event


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event and its picture, not written yet."""

    event: Event
    wall_at: float
    snapshot_jpeg: bytes | None


class WaitingRoom:
    """A bounded queue. When it is full the oldest event makes room for the newest, and is counted as dropped.

    Pictures are bounded apart, by their bytes: an event that comes when they are too many is kept without its picture.
    """

    def __init__(self, *, events_max: int, snapshot_bytes_max: int) -> None:
        self._events_max = events_max
        self._snapshot_bytes_max = snapshot_bytes_max
        self._queue: deque[Waiting] = deque()
        self._snapshot_bytes = 0
        self._lock = threading.Lock()
        self.dropped = 0
        self.snapshots_dropped = 0

    def __len__(self) -> int:
        return len(self._queue)

    def put(self, waiting: Waiting) -> bool:
        """Take one in; False when another one had to be dropped for it. Any thread."""
        with self._lock:
            has_room = len(self._queue) < self._events_max
            if not has_room:
                self._forget(self._queue.popleft())
                self.dropped += 1
            picture_bytes = len(waiting.snapshot_jpeg or b"")
            if self._snapshot_bytes + picture_bytes > self._snapshot_bytes_max:
                waiting = Waiting(waiting.event, waiting.wall_at, None)
                self.snapshots_dropped += 1
            else:
                self._snapshot_bytes += picture_bytes
            self._queue.append(waiting)
            return has_room

    def take(self, count_max: int) -> list[Waiting]:
        """Hand out the oldest ones. Any thread."""
        with self._lock:
            batch = [self._queue.popleft() for _ in range(min(count_max, len(self._queue)))]
            for waiting in batch:
                self._forget(waiting)
            return batch

    def _forget(self, waiting: Waiting) -> None:
        self._snapshot_bytes -= len(waiting.snapshot_jpeg or b"")
