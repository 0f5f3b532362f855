"""The frames of a recording, read by the thread that detects on them."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable

from edged.domain.frame import Frame
from edged.errors import SourceError
from edged.ports import EndOfStream

ReadFrame = Callable[[], "Frame | None"]
"""Return the next frame, or None when none came for a while. Raises EndOfStream and SourceError."""

_POLL_S = 0.1  # how long a stop may go unnoticed


class Reel:
    """Stands where a camera has its mailbox, for a recording that is read in full, as fast as it is worked off.

    The capture thread opens the recording and closes it; in between it lends it to the thread that detects. So nobody
    waits for anybody, and a picture is scaled down where it was decoded, while it lies in that processor's cache: a
    hand-over from thread to thread cost 0.3 to 0.4 ms a frame.
    """

    lossless = True
    dropped = 0

    def __init__(self, arrival: threading.Condition) -> None:
        """`arrival` is notified when the recording can be read, and when it has ended."""
        self._arrival = arrival
        self._reading = threading.Lock()
        self._read: ReadFrame | None = None  # while it is lent
        self._end: EndOfStream | SourceError | None = None
        self._closed = False
        self._captured_at = math.inf  # of the last frame
        self.gap_s = 0.0
        """From the frame before to the one that was taken last."""

    def lend(self, read: ReadFrame, stop: threading.Event) -> None:
        """Have the recording read until its end, or until `stop` is set; nobody reads any more when this returns.

        Raises EndOfStream and SourceError, as `read` did.
        """
        with self._arrival:
            self._read = read
            self._arrival.notify_all()
            while self.waiting and not stop.is_set():
                self._arrival.wait(_POLL_S)
        with self._reading:  # not in the middle of a frame
            self._read = None
        if self._end is not None:
            raise self._end

    def take(self) -> Frame | None:
        """Read the next frame; None when none can be read now. The lender hears of the end and of faults."""
        with self._reading:
            if self._read is None:
                return None
            try:
                frame = self._read()
            except (EndOfStream, SourceError) as end:  # raised again where it belongs, on the capture thread
                self._end, self._read = end, None
            else:
                if frame is not None:
                    self.gap_s = max(frame.captured_at - self._captured_at, 0.0)
                    self._captured_at = frame.captured_at
                return frame
        with self._arrival:
            self._arrival.notify_all()
        return None

    def close(self) -> None:
        """No frame will come any more."""
        with self._arrival:
            self._closed = True
            self._arrival.notify_all()

    @property
    def waiting(self) -> bool:
        """Whether a frame can be had at once."""
        return self._read is not None

    @property
    def ended(self) -> bool:
        """Closed."""
        return self._closed
