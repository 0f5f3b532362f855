"""What happens to one frame of one camera. Start reading here."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edged.clock import Clock
from edged.domain.detections import Detections
from edged.domain.events import CameraEvent, TrackEvent
from edged.domain.frame import Frame
from edged.domain.scheduling import Decision
from edged.domain.tracks import Tracks, TrackState
from edged.errors import FrameCorrupt
from edged.pipeline.best_shots import BestShots
from edged.pipeline.latency import Latency
from edged.pipeline.picture_watch import PictureWatch
from edged.ports import Detector, EventSink, Rule, Scheduler, Tracker

log = logging.getLogger(__name__)

FrameObserver = Callable[[Frame, Tracks, Decision], None]
"""Told of every frame after it went through: the trace, the annotated video."""

_PAUSE_S = 5.0  # between two frames of a recording, and twice as long as between the two before: it was not recorded
_WARN_EVERY_S = 60.0  # of damaged frames; a loose cable gives thousands


@dataclass(slots=True)
class CameraCounts:
    """Running totals of one pipeline."""

    frames: int = 0
    detected: int = 0
    corrupt: int = 0
    events: int = 0
    tracks: int = 0  # confirmed now


class CameraPipeline:
    """One camera's way from frame to event. All cameras share the detector; the rest is its own."""

    def __init__(
        self,
        *,
        camera: str,
        scheduler: Scheduler,
        detector: Detector,
        tracker: Tracker,
        rules: Sequence[Rule],
        best_shots: BestShots | None,
        events: EventSink,
        clock: Clock,
        latency: Latency,
        observers: Sequence[FrameObserver] = (),
        silent_after_s: Callable[[], float] | None = None,
        picture_watch: PictureWatch | None = None,
    ) -> None:
        """`silent_after_s` says when a camera without a new frame no longer shows what is in view.

        None is for a recording: its time is not that of the clock, and its picture may stand still. What is known of
        those in view ends at a pause in it as well.
        """
        self.camera = camera
        self.counts = CameraCounts()
        self._scheduler = scheduler
        self._detector = detector
        self._tracker = tracker
        self._rules = rules
        self._best_shots = best_shots
        self._events = events
        self._clock = clock
        self._latency = latency
        self._observers = observers
        self._silent_after_s = silent_after_s
        self._picture_watch = picture_watch
        self._tracks = Tracks.empty(at=0.0)
        self._expected: Tracks | None = None  # on the frame that was considered last, if anybody asked
        self._considered = False  # any frame yet
        self._detected_seq: int | None = None  # of the frame that was detected on last
        self._frame_at = 0.0
        self._frame_s = 0.0  # from the frame before to that one
        self._damaged_since: float | None = None  # the last frame was to be detected on, but was damaged
        self._warned_at = -math.inf

    def step(self, frame: Frame, *, gap_s: float | None = None) -> None:
        """Take one frame all the way, with the detector to itself; see consider()."""
        need = self.consider(frame, gap_s=gap_s)
        self.take(frame, Decision.DETECT if need >= 1 else Decision.PREDICT)

    def consider(self, frame: Frame, *, gap_s: float | None = None) -> float:
        """Say how badly a frame needs the detector: from 1 on it does.

        `gap_s` is the longest time without a frame since the one before, where others came in between and were dropped:
        a slow detector makes no silent camera.
        """
        at = max(frame.captured_at, self._tracks.at)  # idle() may have been there while the frame was under way
        gap_s = at - self._frame_at if gap_s is None else gap_s
        if self._considered and (self._is_silence(gap_s) or self._is_pause(gap_s)):
            self._lose_sight(at)
        self._frame_s = gap_s if self._considered else 0.0
        self._frame_at, self._considered = at, True
        self._expected = None
        return self._scheduler.need(frame, at, self._expect, due=any(rule.is_due(at) for rule in self._rules))

    def take(self, frame: Frame, decision: Decision) -> None:
        """Take the frame that was considered last the rest of the way."""
        tracks = self._detect(frame) if decision is Decision.DETECT else self._expect()
        self._take_in(tracks)
        for observe in self._observers:
            observe(frame, tracks, decision)
        self.counts.frames += 1

    def idle(self) -> None:
        """No frame waits: let time pass for a camera, so that `left` is told though it is silent."""
        at = self._clock.monotonic()
        if self._silent_after_s is None or not self._considered or at <= self._tracks.at:
            return
        if self._is_silence(at - self._frame_at):
            self._lose_sight(at)
        else:
            self._take_in(self._without_detection(at))

    def finish(self) -> None:
        """No more frames will come: close what is open."""
        for rule in self._rules:
            self._put(rule.finish(self._tracks.at))
        self.counts.tracks = 0

    @property
    def picture(self) -> str | None:
        """What is wrong with the picture: PictureWatch.state; None for a recording."""
        return None if self._picture_watch is None else self._picture_watch.state

    def _is_silence(self, seconds: float) -> bool:
        """Whether so long a time without a sound frame means that nobody is known to be in view any more."""
        return self._silent_after_s is not None and seconds >= self._silent_after_s()

    def _is_pause(self, seconds: float) -> bool:
        """Whether a recording goes on after a pause, as one does that was made only while something moved."""
        return self._silent_after_s is None and seconds >= max(_PAUSE_S, 2 * self._frame_s)

    def _lose_sight(self, at: float) -> None:
        if self._picture_watch is not None:
            self._picture_watch.lose_sight()
        self._take_in(self._tracker.update(Detections.empty(), at))
        self._detected_seq = None  # the frames of the silence are accounted for

    def _expect(self) -> Tracks:
        if self._expected is None:
            self._expected = self._tracker.predict(self._frame_at)
        return self._expected

    def _detect(self, frame: Frame) -> Tracks:
        at = self._frame_at
        try:
            started_at = self._clock.monotonic()
            detections = self._detector.detect(frame)
        except FrameCorrupt as error:
            self._count_corrupt(error)
            return self._pass_over(at)
        self._damaged_since = None
        self._latency.add(self._clock.monotonic() - started_at)
        self.counts.detected += 1
        self._watch_picture(frame, at)
        tracks = self._tracker.update(detections, at, skipped=self._skipped_before(frame))
        self._scheduler.looked(tracks)
        self._offer_shots(tracks, frame)
        return tracks

    def _skipped_before(self, frame: Frame) -> int:
        """Count the frames that went by since the last one that was detected on; this one is the next to count from."""
        last, self._detected_seq = self._detected_seq, frame.seq
        return 0 if last is None else max(frame.seq - last - 1, 0)

    def _pass_over(self, at: float) -> Tracks:
        """A damaged frame shows nobody: many on end are as good as none."""
        if self._damaged_since is None:
            self._damaged_since = at
        if self._picture_watch is not None:
            self._tell(self._picture_watch.damaged(at))
        return self._without_detection(at)

    def _without_detection(self, at: float) -> Tracks:
        if self._damaged_since is not None and self._is_silence(at - self._damaged_since):
            return self._tracker.update(Detections.empty(), at)
        return self._tracker.predict(at)

    def _watch_picture(self, frame: Frame, at: float) -> None:
        if self._picture_watch is not None:
            self._tell(self._picture_watch.look(frame.looked_at, at))

    def _tell(self, events: Sequence[CameraEvent]) -> None:
        for event in events:
            log.warning("camera %s: %s: %s", self.camera, event.kind, event.detail or "it shows something again")
            self._events.put(event, None)
            self.counts.events += 1

    def _offer_shots(self, tracks: Tracks, frame: Frame) -> None:
        if self._best_shots is not None:
            try:
                self._best_shots.offer(tracks, frame)
            except FrameCorrupt as error:  # it was sound enough to look at small
                self._count_corrupt(error)

    def _count_corrupt(self, error: FrameCorrupt) -> None:
        self.counts.corrupt += 1
        now = self._clock.monotonic()
        if now - self._warned_at >= _WARN_EVERY_S:
            self._warned_at = now
            log.warning("camera %s: damaged frames, %d so far: %s", self.camera, self.counts.corrupt, error)

    def _take_in(self, tracks: Tracks) -> None:
        self._tracks = tracks
        for rule in self._rules:
            self._put(rule.update(tracks))
        self._forget_shots()
        self.counts.tracks = tracks.state.tolist().count(TrackState.CONFIRMED)

    def _forget_shots(self) -> None:
        if self._best_shots is not None:
            names = {track_id: track_id for track_id in self._tracks.track_id.tolist()}
            for rule in self._rules:
                names.update(rule.followed())
            self._best_shots.keep_only(names)

    def _put(self, events: Sequence[TrackEvent]) -> None:
        for event in events:
            jpeg = None if self._best_shots is None else self._best_shots.jpeg(event.track_id)
            self._events.put(event, jpeg)
            self.counts.events += 1
