"""Pipelines put together from the real tracker and rules and the shipped fakes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

import numpy as np

from edged.domain.detections import Detections
from edged.domain.frame import BgrImage, Frame
from edged.errors import FrameCorrupt, SourceError
from edged.pipeline.best_shots import BestShots
from edged.pipeline.camera import CameraPipeline, FrameObserver
from edged.pipeline.feeder import Feeder, WaitForDevice
from edged.pipeline.latency import Latency
from edged.pipeline.mailbox import Mailbox
from edged.pipeline.picture_watch import PictureWatch
from edged.pipeline.reel import Reel
from edged.ports import Detector, EventSink, Source
from edged.rules.presence import Presence
from edged.scheduling.stride import Stride
from edged.testing.clock import FakeClock
from edged.testing.detector import ScriptedDetector
from edged.testing.events import MemorySink
from edged.testing.source import SyntheticObject, SyntheticSource
from edged.tracking.bytetrack import ByteTrack

LABELS = ("person", "car")

T = TypeVar("T", bound=ByteTrack)


def passer_by(object_id: int, *, first_seq: int, last_seq: int, x: float = 20.0, y: float = 100.0) -> SyntheticObject:
    """Someone of 30 x 60 pixels who walks to the right at 4 pixels a frame and is in view for a while."""
    start_xy = (x - 4.0 * first_seq, y)
    return SyntheticObject(
        object_id, (30, 60), start_xy, (4.0, 0.0), first_seq=first_seq, last_seq=last_seq, bounces=False
    )


def sees_all(source: SyntheticSource, seqs: Collection[int]) -> ScriptedDetector:
    """A detector that finds what is in these frames, in turn."""
    return ScriptedDetector(LABELS, [source.ground_truth(seq) for seq in seqs])


def make_tracker(kind: Callable[..., T]) -> T:
    return kind(high_confidence=0.5, low_confidence=0.1, new_track_confidence=0.5, match_cost_max=0.8, lost_after_s=1.0)


def pipeline_of(
    detector: Detector,
    sink: EventSink,
    clock: FakeClock,
    *,
    camera: str = "yard",
    every: int = 1,
    best_shots: BestShots | None = None,
    observers: Sequence[FrameObserver] = (),
    latency: Latency | None = None,
    silent_after_s: float | None = None,
    picture_watch: PictureWatch | None = None,
    tracker: ByteTrack | None = None,
) -> CameraPipeline:
    return CameraPipeline(
        camera=camera,
        scheduler=Stride(every),
        detector=detector,
        tracker=tracker or make_tracker(ByteTrack),
        rules=[Presence(camera, LABELS)],
        best_shots=best_shots,
        events=sink,
        clock=clock,
        latency=latency or Latency(),
        observers=observers,
        silent_after_s=None if silent_after_s is None else lambda: silent_after_s,
        picture_watch=picture_watch,
    )


def feeder_of(
    source: Source,
    mailbox: Mailbox | Reel,
    clock: FakeClock,
    *,
    reopen: bool,
    frame_timeout_s: float = 5.0,
    events: EventSink | None = None,
    wait_for_device: WaitForDevice | None = None,
    reset: Callable[[], None] | None = None,
) -> Feeder:
    return Feeder(
        camera="yard",
        source=source,
        mailbox=mailbox,
        events=events or MemorySink(),
        clock=clock,
        frame_timeout_s=frame_timeout_s,
        reopen=reopen,
        wait_for_device=wait_for_device,
        reset=reset,
    )


def a_frame(
    seq: int,
    *,
    at: float | None = None,
    size: tuple[int, int] = (64, 48),
    decode: Callable[[], BgrImage] | None = None,
    release: Callable[[], None] | None = None,
) -> Frame:
    """A black frame, a tenth of a second after the one before."""
    width_px, height_px = size
    return Frame(
        seq=seq,
        captured_at=seq / 10 if at is None else at,
        width_px=width_px,
        height_px=height_px,
        decode=decode or (lambda: np.zeros((height_px, width_px, 3), np.uint8)),
        release=release,
    )


def damaged() -> BgrImage:
    raise FrameCorrupt("half of the picture is missing", hint="Check the cable.")


def must_not_be_decoded() -> BgrImage:
    raise AssertionError("a frame that is only predicted was decoded")


def one_detection(xyxy: tuple[float, float, float, float], *, confidence: float = 0.9) -> Detections:
    return Detections(np.array([xyxy], np.float32), np.array([confidence], np.float32), np.zeros(1, np.int32))


class Recorder(FakeClock):
    """A clock that notes how long it was waited on, and sets `stop` after so many waits."""

    def __init__(self, *, stop_after: int) -> None:
        super().__init__()
        self.waits: list[float] = []
        self._stop_after = stop_after

    def wait(self, stop: threading.Event, timeout_s: float) -> bool:
        self.waits.append(timeout_s)
        if len(self.waits) == self._stop_after:
            stop.set()
        return super().wait(stop, timeout_s)


class Wrapped:
    """A source that lets a test see and change what another does."""

    def __init__(self, inner: SyntheticSource, *, on_read: Callable[[Frame | None], None] = lambda _: None) -> None:
        self.inner = inner
        self.stats = inner.stats
        self.is_open = False
        self.fail_always: SourceError | None = None
        self._on_read = on_read

    def open(self) -> None:
        self.inner.open()
        self.is_open = True

    def read(self, timeout_s: float) -> Frame | None:
        if self.fail_always is not None:
            raise self.fail_always
        frame = self.inner.read(timeout_s)
        self._on_read(frame)
        return frame

    def close(self) -> None:
        self.inner.close()
        self.is_open = False

    def frame_count(self) -> int | None:
        return self.inner.frame_count()
