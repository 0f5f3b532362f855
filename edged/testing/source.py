"""A camera that never was: a drawn scene with known truth, and faults on demand."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt

from edged.clock import Clock
from edged.domain.detections import Detections
from edged.domain.frame import Frame
from edged.domain.health import SourceStats
from edged.errors import SourceError, SourceLost, SourceNotFound
from edged.ports import EndOfStream
from edged.testing.scene import SyntheticObject, SyntheticScene

__all__ = ["SyntheticObject", "SyntheticSource"]


class SyntheticSource:
    """Plays a scene; implements Source, and tells the truth about every frame.

    Two sources with the same arguments give the same pixels. Frame `seq` is taken `seq / fps` seconds after open().
    Each fault happens once: a source that is reopened after it plays to the end.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        width_px: int = 320,
        height_px: int = 240,
        fps: float = 10.0,
        frames: int | None = 50,
        objects: int | Sequence[SyntheticObject] = 3,
        noise_sigma: float = 0.0,
        seed: int = 0,
        in_real_time: bool = False,
        corrupt: Collection[int] = (),
        stall_at: int | None = None,
        fail_at: int | None = None,
        fail_with: SourceError | None = None,
        failing_opens: int = 0,
    ) -> None:
        """Set the scene and the faults.

        `frames` None never ends; `objects` is how many to invent, or the cast itself; `noise_sigma` is the sensor's
        noise in grey levels; `in_real_time` waits on the clock until a frame is due and skips those that nobody asked
        for in time. Faults: frames in `corrupt` come damaged; from frame `stall_at` on nothing comes until the source
        is reopened; instead of frame `fail_at` `fail_with` is raised (SourceLost if not given); the next
        `failing_opens` calls of open() raise SourceNotFound.
        """
        self.stats = SourceStats()
        self.stall_at = stall_at
        self.fail_at = fail_at
        self.failing_opens = failing_opens
        self._clock = clock
        self._width_px = width_px
        self._height_px = height_px
        self._fps = fps
        self._frames = frames
        self._in_real_time = in_real_time
        self._corrupt = frozenset(corrupt)
        self._fail_with = fail_with or SourceLost("the synthetic camera went away", hint="Open it again.")
        self._scene = SyntheticScene(
            objects, width_px=width_px, height_px=height_px, noise_sigma=noise_sigma, seed=seed
        )
        self._opened_at: float | None = None
        self._seq = 0
        self._never = threading.Event()

    def open(self) -> None:
        """Begin at frame 0. Raises SourceNotFound while `failing_opens` lasts."""
        self.close()
        if self.failing_opens > 0:
            self.failing_opens -= 1
            raise SourceNotFound("the synthetic camera is unplugged", hint="Open it again.")
        self._opened_at = self._clock.monotonic()
        self._seq = 0

    def read(self, timeout_s: float) -> Frame | None:
        """Return the next frame; see Source.read. Raises EndOfStream, SourceError, RuntimeError when not open."""
        if self._opened_at is None:
            raise RuntimeError("read() needs open() first")
        self._pass_over_corrupt()
        if self._seq == self._frames:
            raise EndOfStream
        if self._seq == self.fail_at:
            self.fail_at = None
            raise self._fail_with
        if self._seq == self.stall_at:
            self._clock.wait(self._never, timeout_s)
            return None
        if self._in_real_time and not self._wait_until_due(self._opened_at, timeout_s):
            return None
        self.stats.frames += 1
        self._seq += 1
        return self._frame(self._seq - 1, self._opened_at)

    def close(self) -> None:
        """Stop; a stall ends with it."""
        if self._opened_at is not None and self._seq == self.stall_at:
            self.stall_at = None
        self._opened_at = None

    def frame_count(self) -> int | None:
        """How many frames there are, damaged ones counted; None when it never ends."""
        return self._frames

    def ground_truth(self, seq: int) -> Detections:
        """Say what is in frame `seq`: boxes cut to the picture, confidence 1, in the order of ground_truth_ids()."""
        return self._scene.ground_truth(seq)

    def ground_truth_ids(self, seq: int) -> npt.NDArray[np.int64]:
        """Say who is in frame `seq`: (N,) object ids, ascending."""
        return self._scene.ground_truth_ids(seq)

    def _pass_over_corrupt(self) -> None:
        while self._seq in self._corrupt and self._seq != self._frames:
            self.stats.corrupt += 1
            self._seq += 1

    def _wait_until_due(self, opened_at: float, timeout_s: float) -> bool:
        wait_s = opened_at + self._seq / self._fps - self._clock.monotonic()
        if wait_s > 0:
            self._clock.wait(self._never, min(wait_s, timeout_s))
            return wait_s <= timeout_s
        newest = int((self._clock.monotonic() - opened_at) * self._fps)
        faults_and_end = (self._frames, self.stall_at, self.fail_at, *self._corrupt)
        newest = min([newest, *(seq - 1 for seq in faults_and_end if seq is not None and seq > self._seq)])
        if newest > self._seq:
            self.stats.dropped += newest - self._seq
            self._seq = newest
        return True

    def _frame(self, seq: int, opened_at: float) -> Frame:
        return Frame(
            seq=seq,
            captured_at=opened_at + seq / self._fps,
            width_px=self._width_px,
            height_px=self._height_px,
            decode=partial(self._scene.draw, seq),
        )
