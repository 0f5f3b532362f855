"""Tells of a camera's outages: one event when it is lost, one when it is back."""

from __future__ import annotations

import logging

from edged.domain.events import CameraEvent, EventKind
from edged.errors import SourceError
from edged.ports import EventSink

log = logging.getLogger(__name__)

STEADY_AFTER_S = 3.0
"""A camera that gives frames for less long than this between two faults was not back."""


class Outages:
    """What a feeder tells of its camera. Belongs to the capture thread.

    A camera on a bad cable comes and goes many times a minute: that is one outage. So `camera_back` is said only when
    frames have come steadily for STEADY_AFTER_S, and bears the instant of the first of them.
    """

    def __init__(self, camera: str, events: EventSink) -> None:
        self.told = 0  # events, so far
        self.begun = 0  # outages, so far
        self._camera = camera
        self._events = events
        self._reason = ""
        self._frame_at: float | None = None  # when the last frame came
        self._lost_at: float | None = None  # None while all is well
        self._back_at: float | None = None  # when frames came again, within an outage

    @property
    def goes_on(self) -> bool:
        """Whether the camera is lost, or not surely back yet."""
        return self._lost_at is not None

    def frame(self, at: float) -> None:
        """Note that a frame came at the monotonic instant `at`."""
        self._frame_at = at
        if self._lost_at is None:
            return
        if self._back_at is None:
            self._back_at = at
        if at - self._back_at >= STEADY_AFTER_S:
            self._tell_back(self._lost_at, self._back_at)

    def fault(self, error: SourceError, at: float) -> None:
        """Note that the camera failed at the monotonic instant `at`: to open, or to give frames."""
        self._back_at = None
        if self._lost_at is not None:
            return
        self.begun += 1
        self._lost_at = at if self._frame_at is None else self._frame_at
        self._reason = error.reason
        log.warning("camera %s is lost (%s): %s", self._camera, error.reason, error)
        self._put(EventKind.CAMERA_LOST, self._lost_at, self._lost_at, error.message)

    def finish(self) -> None:
        """No more frames will come: a camera that gave some again was back, if not for long."""
        if self._lost_at is not None and self._back_at is not None:
            self._tell_back(self._lost_at, self._back_at)

    def _tell_back(self, lost_at: float, back_at: float) -> None:
        self._lost_at = self._back_at = None
        log.warning("camera %s is back after %.1f s", self._camera, back_at - lost_at)
        self._put(EventKind.CAMERA_BACK, back_at, lost_at, None)

    def _put(self, kind: EventKind, at: float, started_at: float, detail: str | None) -> None:
        event = CameraEvent(kind, self._camera, at, started_at=started_at, reason=self._reason, detail=detail)
        self._events.put(event, None)
        self.told += 1
