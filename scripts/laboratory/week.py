"""The parts of a compressed week: a clock that the camera drives, that camera, and a detector that knows the truth.

Everything else in scripts/laboratory/soak.py is the daemon as it runs on a box.
"""

from __future__ import annotations

import threading
import time

from edged.detect.catalogue import find_model
from edged.detect.load import load_spec
from edged.domain.detections import Detections
from edged.domain.frame import BgrImage, Frame
from edged.domain.health import SourceStats
from edged.errors import SourceLost
from edged.ports import EndOfStream
from edged.testing.scene import SyntheticObject, SyntheticScene

WIDTH_PX, HEIGHT_PX = 160, 120
FPS = 17.0  # a week is then 10.3 million frames
VISITORS = 30  # in one turn of the scene
VISIT_FRAMES, TURN_FRAMES = 170, 10_200  # ten seconds in view; ten minutes
_PACE_S = 0.01  # how late a waiting thread may notice that its time has come
_LEAD_S = 10.0  # of this clock, that a thread may be at work while time goes on: a third of what the strictest may take
_STANDS_STILL_S = 5.0  # of a real clock, that time stands still for a thread at most


class DrivenClock:
    """Time passes when the camera says so: advance(). Others really wait for it; the camera's own pauses cost nothing.

    Nobody at work is left behind: while a thread that waits at times takes long over something, time stands still. A
    week in an hour makes 17 s of the tenth of a second that a busy disk takes.

    `wall()` begins at 2023-11-14; both clocks go at the same pace.
    """

    def __init__(self) -> None:
        self._began_at = self._now = 1000.0
        self._driver: int | None = None
        self._at_work_since: dict[int, float] = {}  # by thread, between one wait() and the next

    def advance(self, seconds: float) -> None:
        """Let time pass; whoever calls this is the driver."""
        self._driver = threading.get_ident()
        give_up_at = time.monotonic() + _STANDS_STILL_S
        while self._now - min(self._at_work_since.copy().values(), default=self._now) > _LEAD_S:
            if time.monotonic() > give_up_at:  # it hangs, or has ended
                break
            time.sleep(_PACE_S)
        self._now += seconds

    def monotonic(self) -> float:
        return self._now

    def wall(self) -> float:
        return 1_700_000_000.0 + self._now - self._began_at

    def wait(self, stop: threading.Event, timeout_s: float) -> bool:
        if threading.get_ident() == self._driver:
            self.advance(timeout_s)
            return stop.is_set()
        until = self._now + timeout_s
        self._at_work_since.pop(threading.get_ident(), None)
        while self._now < until and not stop.wait(_PACE_S):
            pass
        self._at_work_since[threading.get_ident()] = self._now
        return stop.is_set()

    def synchronised(self) -> bool | None:
        return True

    def boot_id(self) -> str:
        return "soak"


class WeekSource:
    """A camera of `frames` frames, one every 1 / FPS of its clock's seconds, that plays a drawn scene again and again.

    It gives the next frame when the one before was given back, so that none is dropped and time goes as fast as the
    daemon can follow. `lost_every` frames it is unplugged for a moment.
    """

    def __init__(self, clock: DrivenClock, *, frames: int, lost_every: int) -> None:
        self.stats = SourceStats()
        self._clock = clock
        self._frames = frames
        self._lost_every = lost_every
        self._lose_at = lost_every
        self._seq = 0
        self._is_free = threading.Event()
        self._is_free.set()
        self._scene = SyntheticScene(_visitors(), width_px=WIDTH_PX, height_px=HEIGHT_PX, noise_sigma=0.0, seed=1)

    def open(self) -> None:
        """A frame that is under way comes back all the same."""

    def read(self, timeout_s: float) -> Frame | None:
        if self._seq >= self._frames:
            raise EndOfStream
        if self._seq >= self._lose_at:
            self._lose_at += self._lost_every
            raise SourceLost("the camera of the week was unplugged", hint="It comes back by itself.")
        if not self._is_free.wait(timeout_s):
            return None
        self._is_free.clear()
        self._clock.advance(1 / FPS)
        seq, self._seq = self._seq, self._seq + 1
        self.stats.frames += 1
        return Frame(
            seq=seq,
            captured_at=self._clock.monotonic(),
            width_px=WIDTH_PX,
            height_px=HEIGHT_PX,
            decode=lambda: self._draw(seq),
            release=self._is_free.set,
        )

    def close(self) -> None:
        pass

    def frame_count(self) -> int | None:
        return None

    def _draw(self, seq: int) -> BgrImage:
        image = self._scene.draw(seq % TURN_FRAMES)
        image[seq % HEIGHT_PX] ^= 1  # a sensor's noise: no two pictures are the same
        return image


class KnowingDetector:
    """Finds what the scene says is there. Looks at a picture once a second, as the watch over the picture needs it."""

    engine = "none"

    def __init__(self) -> None:
        self.spec = load_spec(find_model("builtin"))
        self.labels = self.spec.labels
        scene = SyntheticScene(_visitors(), width_px=WIDTH_PX, height_px=HEIGHT_PX, noise_sigma=0.0, seed=1)
        nobody = Detections.empty()
        found = [scene.ground_truth(seq) for seq in range(TURN_FRAMES)]
        self._truth = [truth if len(truth) else nobody for truth in found]

    def detect(self, frame: Frame) -> Detections:
        if frame.seq % int(FPS) == 0:
            frame.image()
        return self._truth[frame.seq % TURN_FRAMES]

    def close(self) -> None:
        pass


def visits(frames: int) -> int:
    """How many visitors come and go within so many frames."""
    turns, rest = divmod(frames, TURN_FRAMES)
    return turns * VISITORS + sum(_first_seq(number) + VISIT_FRAMES < rest for number in range(VISITORS))


def _visitors() -> list[SyntheticObject]:
    """One after the other crosses the picture; every third meets somebody who comes the other way."""
    way_px = (WIDTH_PX - 20) / VISIT_FRAMES
    cast = []
    for number in range(VISITORS):
        first_seq, leftwards = _first_seq(number), number % 2 == 1
        velocity, start = (-way_px, WIDTH_PX - 20.0) if leftwards else (way_px, 0.0)
        start_xy = (start - velocity * first_seq, 10.0 + 45.0 * (number % 2))
        cast.append(
            SyntheticObject(
                number + 1,
                (20, 40),
                start_xy,
                (velocity, 0.0),
                first_seq=first_seq,
                last_seq=first_seq + VISIT_FRAMES,
                bounces=False,
            )
        )
    return cast


def _first_seq(number: int) -> int:
    """Frame of the turn in which a visitor comes; each third one comes before the one before has left."""
    return number * (TURN_FRAMES // VISITORS) - (240 if number % 3 == 2 else 0)
