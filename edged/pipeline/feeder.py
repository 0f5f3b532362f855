"""Reads one source into its mailbox, and opens it again when it fails."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable

from edged.clock import Clock
from edged.domain.frame import Frame
from edged.domain.pulse import Pulse
from edged.errors import SourceError, SourceStalled
from edged.pipeline.mailbox import Mailbox
from edged.pipeline.outages import Outages
from edged.pipeline.reel import Reel
from edged.pipeline.retries import Retries
from edged.ports import EndOfStream, EventSink, Source

log = logging.getLogger(__name__)

WaitForDevice = Callable[[float, threading.Event], object]
"""Wait for so many seconds, or until the event is set, or until a device came or went."""

_POLL_S = 0.5  # how long a stop may go unnoticed
_OPEN_WITHIN_S = 120.0  # resolv.conf(5): three servers that do not answer are asked twice, with and without a domain
_RESET_WITHIN_S = 30.0
_SLOWEST_S = 10.0  # from one frame to the next, whatever a driver says

FIRST_FRAME_S = 5.0
"""A sound camera may need so long from its opening to its first picture."""


class Feeder:
    """The loop of a capture thread.

    A camera that fails is opened again for ever, after short pauses; see Retries. A file that fails is an error:
    nobody will plug it back in.
    """

    def __init__(
        self,
        *,
        camera: str,
        source: Source,
        mailbox: Mailbox | Reel,
        events: EventSink,
        clock: Clock,
        frame_timeout_s: float,
        reopen: bool,
        wait_for_device: WaitForDevice | None = None,
        reset: Callable[[], None] | None = None,
    ) -> None:
        """`reopen` is for a camera: its outages become events. `frame_timeout_s` is how long it may give no frame.

        `wait_for_device` ends a pause early when a device came; `reset` wakes a device that is there but hangs, and may
        raise SourceError.
        """
        self.camera = camera
        self.source = source
        self.state = "starting"
        self.pulse = Pulse(f"capture-{camera}")
        self.outages = Outages(camera, events)
        self._mailbox = mailbox
        self._clock = clock
        self._frame_timeout_s = frame_timeout_s
        self._reopen = reopen
        self._wait_for_device = wait_for_device
        self._reset = reset
        self._retries = Retries()

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
                    if stop.is_set():  # nobody waits for this camera any more
                        return
                    self.pulse.begin("closing its camera")
                    self.source.close()  # before the wait: a camera that comes back gets its old name only then
                    self._recover(error, stop)
        finally:
            self.source.close()
            self.outages.finish()
            self._mailbox.close()
            self.pulse.begin("done", within_s=math.inf)

    def silent_after_s(self) -> float:
        """How long the camera may give no frame: two intervals of one that says that it is slow. For any thread."""
        return max(self._frame_timeout_s, 2 * min(self.source.stats.interval_s or 0.0, _SLOWEST_S))

    def _feed(self, stop: threading.Event) -> None:
        self.pulse.begin("opening its camera", within_s=_OPEN_WITHIN_S)
        self.source.open()
        if isinstance(self._mailbox, Reel):
            self.pulse.begin("lending its recording", within_s=math.inf)  # as long as its frames are worked on
            self._mailbox.lend(self._next, stop)
        else:
            self._deliver(self._mailbox, stop)

    def _next(self) -> Frame | None:
        frame = self.source.read(_POLL_S)
        if frame is not None:
            self._came(frame)
        return frame

    def _deliver(self, mailbox: Mailbox, stop: threading.Event) -> None:
        patience_s = max(self.silent_after_s(), FIRST_FRAME_S)
        deadline = self._clock.monotonic() + patience_s
        while not stop.is_set():
            left_s = max(deadline - self._clock.monotonic(), 0.0) if self._reopen else _POLL_S
            self.pulse.begin("waiting for a frame")
            frame = self.source.read(min(_POLL_S, left_s))
            if frame is not None:
                self._came(frame)
                mailbox.put(frame)
                patience_s = self.silent_after_s()
                deadline = self._clock.monotonic() + patience_s
            elif self._reopen and self._clock.monotonic() >= deadline:
                raise SourceStalled(
                    f"camera {self.camera!r} has given no frame for {patience_s:g} s",
                    hint="The daemon opens it again. If this repeats: check the cable, the power and `dmesg`.",
                )

    def _came(self, frame: Frame) -> None:
        if self.state == "starting":
            log.info("camera %s gives frames of %d × %d", self.camera, frame.width_px, frame.height_px)
        self.state = "running"
        self.outages.frame(self._clock.monotonic())
        self._retries.worked(outage_is_over=not self.outages.goes_on)

    def _recover(self, error: SourceError, stop: threading.Event) -> None:
        """Tell of the fault, do what may help, and wait until the camera is worth another try."""
        self.outages.fault(error, self._clock.monotonic())
        self.state = f"lost: {error.message}"
        self.pulse.begin("resetting its camera", within_s=_RESET_WITHIN_S)
        if self._reset is not None and self._retries.reset_is_due(error):
            self._try(self._reset)
        self.pulse.begin("waiting until its camera is worth another try")
        wait = self._wait_for_device or self._wait
        wait(self._retries.pause_s(), stop)

    def _wait(self, timeout_s: float, stop: threading.Event) -> None:
        self._clock.wait(stop, timeout_s)

    def _try(self, reset: Callable[[], None]) -> None:
        log.warning("camera %s is there, but hangs: resetting it", self.camera)
        try:
            reset()
        except SourceError as error:
            log.warning("camera %s: %s", self.camera, error)
