"""Gives each frame that waits to its camera's pipeline, and the detector to the camera that needs it most."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from edged.clock import Clock
from edged.domain.frame import Frame
from edged.domain.pulse import Pulse
from edged.domain.scheduling import Decision
from edged.pipeline.camera import CameraPipeline
from edged.pipeline.mailbox import Mailbox
from edged.pipeline.reel import Reel
from edged.ports import InferenceTurns

_POLL_S = 0.5  # how long a stop, or the silence of a camera, may go unnoticed


@dataclass(slots=True, eq=False)
class Lane:
    """One camera: where its frames wait, and where they go."""

    mailbox: Mailbox | Reel
    pipeline: CameraPipeline
    held: Frame | None = field(default=None, init=False)  # needs the detector, and waits for its turn
    need: float = field(default=0.0, init=False)
    _gap_s: float = field(default=0.0, init=False)

    @property
    def ended(self) -> bool:
        """No frame waits or will come."""
        return self.held is None and self.mailbox.ended

    @property
    def idle(self) -> bool:
        """No frame waits."""
        return self.held is None and not self.mailbox.waiting

    def refresh(self) -> bool:
        """Take a frame from the mailbox, if one waits that is to be worked on now, and say whether one did.

        It takes the place of one that was held, as in the mailbox; a recording's frames wait for each other.
        """
        if self.held is not None and self.mailbox.lossless:
            return False
        frame = self.mailbox.take()
        if frame is None:
            return False
        self._gap_s = self.mailbox.gap_s if self.held is None else max(self._gap_s, self.mailbox.gap_s)
        if self.held is not None:
            self.mailbox.dropped += 1
            self.held.release()
        self.held = frame
        return True

    def consider(self) -> None:
        """Ask how badly the frame in hand needs the detector; one that does not goes its way at once."""
        if self.held is not None:
            self.need = self.pipeline.consider(self.held, gap_s=self._gap_s)
            if self.need < 1:
                self.work(Decision.PREDICT)

    def work(self, decision: Decision) -> None:
        """Take the frame in hand all the way."""
        frame = self.held
        if frame is not None:
            try:
                self.pipeline.take(frame, decision)
            finally:
                self.drop()

    def drop(self) -> None:
        """Give the frame in hand back."""
        frame, self.held = self.held, None
        if frame is not None:
            frame.release()


class Dispatcher:
    """The loop of the detect thread. One thread serves all cameras, because they share one detector.

    Frames that need no detector go through as they come. Of those that do, `turns` says who is next; the others are
    held until a newer frame of the same camera takes their place.
    """

    def __init__(
        self, lanes: Sequence[Lane], arrival: threading.Condition, *, turns: InferenceTurns[Lane], clock: Clock
    ) -> None:
        self.pulse = Pulse("detect")
        self._lanes = list(lanes)  # those not ended
        self._is_over = False
        self._arrival = arrival
        self._turns = turns
        self._clock = clock
        self._idle_at = clock.monotonic()

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set or every mailbox has ended; what is open is closed as each ends, or at the stop."""
        try:
            while self._goes_on(stop):
                self.pulse.begin("waiting for frames")
                self._idle()
                for lane in self._arrived():
                    self.pulse.begin(f"glancing at a frame of {lane.pipeline.camera}")
                    lane.consider()
                needs = {lane: lane.need for lane in self._lanes if lane.held is not None}
                if needs:
                    chosen = self._turns.choose(needs)
                    self.pulse.begin(f"at a frame of {chosen.pipeline.camera}")
                    chosen.work(Decision.DETECT)
                self._finish([lane for lane in self._lanes if lane.ended])
            self._finish(list(self._lanes))
            self.pulse.begin("done", within_s=math.inf)
        finally:
            for lane in self._lanes:
                lane.drop()

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
            if lane.idle:
                lane.pipeline.idle()

    def _arrived(self) -> list[Lane]:
        """Fetch what came; wait for it a while when there is nothing else to do."""
        came = [lane for lane in self._lanes if lane.refresh()]
        if not came:
            with self._arrival:
                if all(lane.idle and not lane.ended for lane in self._lanes):
                    self._arrival.wait(_POLL_S)
        return came

    def _finish(self, lanes: list[Lane]) -> None:
        for lane in lanes:
            lane.drop()
            lane.pipeline.finish()
            with self._arrival:
                self._lanes.remove(lane)
                self._arrival.notify_all()
