"""One slot between the thread that captures and the thread that detects."""

from __future__ import annotations

import threading

from edged.domain.frame import Frame


class Mailbox:
    """Holds at most one frame, the newest: one that nobody took is dropped and counted.

    So what is detected is never older than one frame. All mailboxes of a daemon share one condition, so that the reader
    can wait for any of them.
    """

    lossless = False

    def __init__(self, arrival: threading.Condition) -> None:
        self._arrival = arrival
        self._frame: Frame | None = None
        self._closed = False
        self._captured_at: float | None = None  # of the newest frame that was left here
        self._longest_gap_s = 0.0  # since the frame that was taken last
        self.dropped = 0
        self.gap_s = 0.0
        """The longest time between two frames that came one after the other, from the last frame but one that was taken
        to the last one: how long the camera was silent, however slow the reader is."""

    def put(self, frame: Frame) -> None:
        """Leave a frame, in place of the one that waits."""
        with self._arrival:
            old, self._frame = self._frame, frame
            self._note_gap(frame.captured_at)
            self._arrival.notify_all()
        if old is not None:
            self.dropped += 1
            old.release()

    def close(self) -> None:
        """No frame will come any more; the one that waits can still be taken."""
        with self._arrival:
            self._closed = True
            self._arrival.notify_all()

    @property
    def waiting(self) -> bool:
        """Whether a frame can be had at once."""
        return self._frame is not None

    @property
    def ended(self) -> bool:
        """Closed and empty."""
        with self._arrival:
            return self._closed and self._frame is None

    def take(self) -> Frame | None:
        """Empty the slot; None when nothing is in it."""
        if self._frame is None:
            return None
        with self._arrival:
            frame, self._frame = self._frame, None
            self.gap_s, self._longest_gap_s = self._longest_gap_s, 0.0
            return frame

    def _note_gap(self, captured_at: float) -> None:
        if self._captured_at is not None:
            self._longest_gap_s = max(self._longest_gap_s, captured_at - self._captured_at)
        self._captured_at = captured_at
