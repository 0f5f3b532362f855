"""Reads one source into its mailbox, and opens it again when it fails."""

from __future__ import annotations

import logging
import threading

from edged.clock import Clock
from edged.domain.frame import Frame
from edged.errors import SourceError, SourceStalled
from edged.pipeline.mailbox import Mailbox
from edged.ports import EndOfStream, Source

log = logging.getLogger(__name__)

_FIRST_RETRY_AFTER_S = 0.5
_LONGEST_RETRY_AFTER_S = 30.0
_POLL_S = 0.5  # how long a stop may go unnoticed


class Feeder:
    """The loop of a capture thread.

    A camera that fails is opened again for ever, after 0.5 s, 1 s, 2 s … 30 s. A file that fails is an error: nobody
    will plug it back in.
    """

    def __init__(
        self, *, camera: str, source: Source, mailbox: Mailbox, clock: Clock, frame_timeout_s: float, reopen: bool
    ) -> None:
        self.camera = camera
        self.source = source
        self.state = "starting"
        self._mailbox = mailbox
        self._clock = clock
        self._frame_timeout_s = frame_timeout_s
        self._reopen = reopen
        self._retry_after_s = _FIRST_RETRY_AFTER_S

    def run(self, stop: threading.Event) -> None:
        """Feed until `stop` is set or the source ends. Raises SourceError for a source that is not to be reopened."""
        try:
            while not stop.is_set():
                try:
                    self._feed(stop)
                except EndOfStream:
                    self.state = "ended"
                    return
                except SourceError as error:
                    if not self._reopen:
                        log.error("camera %s failed: %s", self.camera, error)
                        self.state = f"failed: {error.message}"
                        raise
                    self.source.close()  # before the wait: a camera that comes back gets its old name only then
                    self._wait_to_reopen(error, stop)
        finally:
            self.source.close()
            self._mailbox.close()

    def _feed(self, stop: threading.Event) -> None:
        self.source.open()
        last_frame_at = self._clock.monotonic()
        while not stop.is_set():
            frame = self.source.read(min(_POLL_S, self._frame_timeout_s))
            if frame is not None:
                self._came_back(frame)
                self._mailbox.put(frame, stop)
                last_frame_at = self._clock.monotonic()
            elif self._reopen and self._clock.monotonic() - last_frame_at >= self._frame_timeout_s:
                raise SourceStalled(
                    f"camera {self.camera!r} has given no frame for {self._frame_timeout_s:g} s",
                    hint="edged opens it again by itself. If this repeats: check the cable, the power and `dmesg`.",
                )

    def _came_back(self, frame: Frame) -> None:
        if self.state.startswith("lost"):
            log.warning("camera %s is back", self.camera)
        elif self.state == "starting":
            log.info("camera %s gives frames of %d × %d", self.camera, frame.width_px, frame.height_px)
        self.state = "running"
        self._retry_after_s = _FIRST_RETRY_AFTER_S

    def _wait_to_reopen(self, error: SourceError, stop: threading.Event) -> None:
        if not self.state.startswith("lost"):
            log.warning("camera %s is lost: %s", self.camera, error)
        self.state = f"lost: {error.message}"
        self.source.stats.reopened += 1
        self._clock.wait(stop, self._retry_after_s)
        self._retry_after_s = min(2 * self._retry_after_s, _LONGEST_RETRY_AFTER_S)
