"""How a recording is given out: every frame, or the newest one as a camera would."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from edged.clock import Clock
from edged.domain.frame import Frame
from edged.domain.health import SourceStats
from edged.ports import EndOfStream


class Playback:
    """Gives out frames that lie in a file. Their `captured_at` says when each is due."""

    def __init__(self, frames: Iterator[Frame], *, clock: Clock, in_real_time: bool, stats: SourceStats) -> None:
        """`stats` is the source's own; frames given out and dropped are counted there."""
        self._frames = frames
        self._clock = clock
        self._in_real_time = in_real_time
        self._stats = stats
        self._early: Frame | None = None
        self._never = threading.Event()

    def read(self, timeout_s: float) -> Frame | None:
        """Return the next frame; in real time, None when none is due within `timeout_s`. Raises EndOfStream."""
        frame = self._take()
        if self._in_real_time:
            now = self._clock.monotonic()
            wait_s = frame.captured_at - now
            if wait_s > timeout_s:
                self._early = frame
                self._clock.wait(self._never, timeout_s)
                return None
            if wait_s > 0:
                self._clock.wait(self._never, wait_s)
            else:
                frame = self._newest_due(frame, now)
        self._stats.frames += 1
        return frame

    def _take(self) -> Frame:
        frame, self._early = self._early, None
        if frame is None:
            frame = next(self._frames, None)
        if frame is None:
            raise EndOfStream
        return frame

    def _newest_due(self, frame: Frame, now: float) -> Frame:
        # `now` stands still meanwhile: a decoder slower than the recording must not chase its end for ever.
        for later in self._frames:
            if later.captured_at > now:
                self._early = later
                break
            self._stats.dropped += 1
            frame = later
        return frame
