"""Gives each frame that waits to its camera's pipeline."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass

from edged.domain.frame import Frame
from edged.pipeline.camera import CameraPipeline
from edged.pipeline.mailbox import Mailbox

log = logging.getLogger(__name__)

_POLL_S = 0.5  # how long a stop may go unnoticed


@dataclass(frozen=True, slots=True)
class Lane:
    """One camera: where its frames wait, and where they go."""

    mailbox: Mailbox
    pipeline: CameraPipeline


class Dispatcher:
    """The loop of the detect thread. One thread serves all cameras, because they share one detector.

    The camera whose turn is longest ago goes first, so that none starves.
    """

    def __init__(self, lanes: list[Lane], arrival: threading.Condition) -> None:
        self._lanes = lanes  # the first is the one whose turn is longest ago
        self._arrival = arrival

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set or every mailbox has ended; then close what is open."""
        while not stop.is_set():
            with self._arrival:
                taken = self._take()
                if taken is None and all(lane.mailbox.ended for lane in self._lanes):
                    break
                if taken is None:
                    self._arrival.wait(_POLL_S)
            if taken is not None:
                pipeline, frame = taken
                pipeline.step(frame)
        for lane in self._lanes:
            lane.pipeline.finish()

    def _take(self) -> tuple[CameraPipeline, Frame] | None:
        for turn, lane in enumerate(self._lanes):
            frame = lane.mailbox.take() if lane.mailbox.waiting else None
            if frame is not None:
                self._lanes.append(self._lanes.pop(turn))
                return lane.pipeline, frame
        return None
