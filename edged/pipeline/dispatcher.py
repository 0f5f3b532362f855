"""Gives each frame that waits to its camera's pipeline."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from edged.clock import Clock
from edged.domain.frame import Frame
from edged.domain.pulse import Pulse
from edged.pipeline.camera import CameraPipeline
from edged.pipeline.mailbox import Mailbox

_POLL_S = 0.5  # how long a stop, or the silence of a camera, may go unnoticed


@dataclass(frozen=True, slots=True)
class Lane:
    """One camera: where its frames wait, and where they go."""

    mailbox: Mailbox
    pipeline: CameraPipeline


class Dispatcher:
    """The loop of the detect thread. One thread serves all cameras, because they share one detector.

    The camera whose turn is longest ago goes first, so that none starves.
    """

    def __init__(self, lanes: Sequence[Lane], arrival: threading.Condition, *, clock: Clock) -> None:
        self.pulse = Pulse("detect")
        self._lanes = list(lanes)  # those not ended; the first is the one whose turn is longest ago
        self._is_over = False
        self._arrival = arrival
        self._clock = clock
        self._idle_at = clock.monotonic()

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set or every mailbox has ended; what is open is closed as each ends, or at the stop."""
        while self._goes_on(stop):
            self.pulse.begin("waiting for frames")
            self._idle()
            with self._arrival:
                taken = self._take()
                ended = [lane for lane in self._lanes if lane.mailbox.ended]
                if taken is None and not ended:
                    self._arrival.wait(_POLL_S)
            if taken is not None:
                lane, frame = taken
                self.pulse.begin(f"at a frame of {lane.pipeline.camera}")
                try:
                    lane.pipeline.step(frame, gap_s=lane.mailbox.gap_s)
                finally:
                    frame.release()
            self._finish(ended)
        self._finish(list(self._lanes))
        self.pulse.begin("done", within_s=math.inf)

    def add(self, lanes: Iterable[Lane]) -> bool:
        """Serve these too, from now on; False when it is too late, since all the others have ended. Any thread."""
        with self._arrival:
            if self._is_over:
                return False
            self._lanes.extend(lanes)
            self._arrival.notify_all()
            return True

    def wait_until_finished(self, lanes: Iterable[Lane], timeout_s: float) -> bool:
        """Wait until these, whose mailboxes are closed, are closed too; False when that takes too long. Any thread."""
        leaving = set(lanes)
        with self._arrival:
            return self._arrival.wait_for(lambda: leaving.isdisjoint(self._lanes), timeout_s)

    def _goes_on(self, stop: threading.Event) -> bool:
        with self._arrival:
            self._is_over = stop.is_set() or not self._lanes
            return not self._is_over

    def _idle(self) -> None:
        """Let time pass, twice a second, where no frame waits."""
        now = self._clock.monotonic()
        if now < self._idle_at:
            return
        self._idle_at = now + _POLL_S
        for lane in self._lanes:
            if lane.mailbox.waiting is None:
                lane.pipeline.idle()

    def _finish(self, lanes: list[Lane]) -> None:
        for lane in lanes:
            lane.pipeline.finish()
            with self._arrival:
                self._lanes.remove(lane)
                self._arrival.notify_all()

    def _take(self) -> tuple[Lane, Frame] | None:
        for turn, lane in enumerate(self._lanes):
            frame = lane.mailbox.take() if lane.mailbox.waiting else None
            if frame is not None:
                self._lanes.append(self._lanes.pop(turn))
                return lane, frame
        return None
