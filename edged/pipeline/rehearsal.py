"""One recording under several policies: each frame is detected on once, and each policy sees what it asks for."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

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
        self._seen = _Seen(detector)
        self._acts = [_Act(candidate, self._seen, clock) for candidate in candidates]

    def step(self, frame: Frame) -> None:
        """Detect, and let every candidate do with it what it would."""
        self._seen.look(frame)
        for act in self._acts:
            act.step(frame)

    def finish(self) -> list[Run]:
        """Close what is open and hand back what came of each candidate."""
        return [act.finish() for act in self._acts]


class _Seen:
    """Implements ports.Detector: answers with what was found on the frame, and counts what that cost."""

    def __init__(self, detector: Detector) -> None:
        self.labels = detector.labels
        self.cost_s = 0.0  # of the looks that were asked for
        self._detector = detector
        self._found: Detections | FrameCorrupt = Detections.empty()
        self._took_s = 0.0

    def look(self, frame: Frame) -> None:
        began = time.thread_time()
        try:
            self._found = self._detector.detect(frame)
        except FrameCorrupt as error:
            self._found = error
        self._took_s = time.thread_time() - began

    def detect(self, frame: Frame) -> Detections:
        self.cost_s += self._took_s
        if isinstance(self._found, FrameCorrupt):
            raise self._found
        return self._found


class _Act:
    """One candidate's pipeline; its EventSink and its observer."""

    def __init__(self, candidate: Candidate, seen: _Seen, clock: Clock) -> None:
        self._run = Run(candidate.name)
        self._rules = candidate.rules
        self._seen = seen
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
        began, before_s = time.thread_time(), self._seen.cost_s
        self._pipeline.step(frame)
        self._run.cpu_s += time.thread_time() - began + self._seen.cost_s - before_s

    def finish(self) -> Run:
        self._pipeline.finish()
        return self._run

    def put(self, event: Event, snapshot_jpeg: bytes | None) -> None:
        if isinstance(event, TrackEvent):
            self._run.events.append(event)

    def _observe(self, frame: Frame, tracks: Tracks, decision: Decision) -> None:
        self._run.looks += decision is Decision.DETECT
        name_of = {track_id: name for rule in self._rules for track_id, name in rule.followed().items()}
        confirmed = tracks.confirmed()
        ids, boxes = confirmed.track_id.tolist(), np.asarray(confirmed.xyxy, float).tolist()
        self._run.at.append(tracks.at)
        self._run.boxes.append({name_of.get(i, i): tuple(box) for i, box in zip(ids, boxes, strict=True)})
