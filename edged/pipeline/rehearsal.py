"""One recording under several policies: each frame is detected on once, and each policy sees what it asks for."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from edged.clock import Clock
from edged.domain.detections import Detections
from edged.domain.events import Event, TrackEvent
from edged.domain.frame import Frame
from edged.domain.scheduling import Decision
from edged.domain.tracks import Tracks
from edged.errors import FrameCorrupt
from edged.pipeline.camera import CameraPipeline, FrameObserver
from edged.pipeline.latency import Latency
from edged.ports import Detector, Rule, Scheduler, Tracker
from edged.scheduling.agreement import Run


@dataclass(frozen=True, slots=True)
class Candidate:
    """A policy with parts of its own."""

    name: str
    scheduler: Scheduler
    tracker: Tracker
    rules: Sequence[Rule]
    observers: Sequence[FrameObserver] = ()


class Rehearsal:
    """Takes every frame through the pipelines of all candidates. What they cost is measured, not what they share."""

    def __init__(self, candidates: Sequence[Candidate], detector: Detector, *, clock: Clock) -> None:
        self._seen = _Seen(detector, clock)
        self._acts = [_Act(candidate, self._seen, clock) for candidate in candidates]

    def step(self, frame: Frame) -> None:
        """Detect, and let every candidate do with it what it would."""
        self._seen.look(frame)
        for act in self._acts:
            act.step(frame)

    def finish(self) -> list[Run]:
        """Close what is open and hand back what came of each candidate."""
        return [act.finish() for act in self._acts]


@dataclass(frozen=True, slots=True)
class _Cost:
    """Of a stretch of work."""

    cpu_s: float = 0.0  # of all threads: an engine may have several
    busy_s: float = 0.0  # on the clock: what an accelerator does takes no CPU time

    @staticmethod
    def now(clock: Clock) -> _Cost:
        return _Cost(time.process_time(), clock.monotonic())

    def __add__(self, other: _Cost) -> _Cost:
        return _Cost(self.cpu_s + other.cpu_s, self.busy_s + other.busy_s)

    def __sub__(self, other: _Cost) -> _Cost:
        return _Cost(self.cpu_s - other.cpu_s, self.busy_s - other.busy_s)


class _Seen:
    """Implements ports.Detector: answers with what was found on the frame, and counts what that cost."""

    def __init__(self, detector: Detector, clock: Clock) -> None:
        self.labels = detector.labels
        self.cost = _Cost()  # of the looks that were asked for
        self._detector = detector
        self._clock = clock
        self._found: Detections | FrameCorrupt = Detections.empty()
        self._took = _Cost()

    def look(self, frame: Frame) -> None:
        began = _Cost.now(self._clock)
        try:
            self._found = self._detector.detect(frame)
        except FrameCorrupt as error:
            self._found = error
        self._took = _Cost.now(self._clock) - began

    def detect(self, frame: Frame) -> Detections:
        self.cost += self._took
        if isinstance(self._found, FrameCorrupt):
            raise self._found
        return self._found


class _Act:
    """One candidate's pipeline; its EventSink and its observer."""

    def __init__(self, candidate: Candidate, seen: _Seen, clock: Clock) -> None:
        self._run = Run(candidate.name)
        self._rules = candidate.rules
        self._seen = seen
        self._clock = clock
        self._cost = _Cost()
        self._pipeline = CameraPipeline(
            camera=candidate.name,
            scheduler=candidate.scheduler,
            detector=seen,
            tracker=candidate.tracker,
            rules=candidate.rules,
            best_shots=None,
            events=self,
            clock=clock,
            latency=Latency(),
            observers=[self._observe, *candidate.observers],
        )

    def step(self, frame: Frame) -> None:
        began, before = _Cost.now(self._clock), self._seen.cost
        self._pipeline.step(frame)
        self._cost += _Cost.now(self._clock) - began + self._seen.cost - before

    def finish(self) -> Run:
        self._pipeline.finish()
        self._run.cpu_s, self._run.busy_s = self._cost.cpu_s, self._cost.busy_s
        return self._run

    def put(self, event: Event, snapshot_jpeg: bytes | None) -> None:
        if isinstance(event, TrackEvent):
            self._run.events.append(event)

    def _observe(self, frame: Frame, tracks: Tracks, decision: Decision) -> None:
        self._run.looks += decision is Decision.DETECT
        self._run.show(tracks, self._rules)
