from __future__ import annotations

import pytest

from edged.domain.detections import Detections
from edged.domain.events import EventKind
from edged.domain.frame import Frame
from edged.pipeline.rehearsal import Candidate, Rehearsal
from edged.ports import EndOfStream, Scheduler
from edged.rules.presence import Presence
from edged.scheduling.adaptive import Adaptive
from edged.scheduling.agreement import compare
from edged.scheduling.motion import Motion
from edged.scheduling.stride import Stride
from edged.testing.clock import FakeClock
from edged.testing.detector import ScriptedDetector
from edged.testing.source import SyntheticSource
from edged.tracking.bytetrack import ByteTrack
from tests.pipeline.parts import LABELS, a_frame, damaged, one_detection, passer_by


def candidate(name: str, scheduler: Scheduler) -> Candidate:
    tracker = ByteTrack(
        high_confidence=0.5, low_confidence=0.1, new_track_confidence=0.5, match_cost_max=0.8, lost_after_s=1.0
    )
    return Candidate(name, scheduler, tracker, [Presence(name, LABELS)])


def test_every_policy_sees_what_it_asks_for_of_one_look_a_frame() -> None:
    clock = FakeClock()
    cast = [passer_by(1, first_seq=50, last_seq=100, y=20), passer_by(2, first_seq=300, last_seq=350, y=150)]
    source = SyntheticSource(clock=clock, objects=cast, frames=600)
    detector = ScriptedDetector(LABELS, lambda frame: source.ground_truth(frame.seq))
    policies: dict[str, Scheduler] = {"every": Stride(1), "third": Stride(3), "adaptive": Adaptive(Motion())}
    rehearsal = Rehearsal([candidate(*item) for item in policies.items()], detector, clock=clock)
    source.open()
    while True:
        try:
            frame = source.read(1.0)
        except EndOfStream:
            break
        assert frame is not None
        rehearsal.step(frame)
    every, third, adaptive = rehearsal.finish()

    assert detector.calls == 600
    assert (every.looks, third.looks) == (600, 200)
    assert adaptive.looks <= 0.15 * 600, "one sixth of the time somebody is there"
    for run in (third, adaptive):
        agreement = compare(every, run)
        assert (agreement.appeared, agreement.missed, agreement.duplicated, agreement.extra) == (2, 0, 0, 0)
        assert agreement.late_p95_s <= 0.5


def test_who_is_in_view_at_the_end_has_left_in_every_candidates_events() -> None:
    found = one_detection((10, 10, 30, 40))
    rehearsal = Rehearsal(
        [candidate("every", Stride(1)), candidate("half", Stride(2))],
        ScriptedDetector(LABELS, lambda frame: found),
        clock=FakeClock(),
    )
    for seq in range(30):
        rehearsal.step(a_frame(seq))
    for run in rehearsal.finish():
        assert [event.kind for event in run.events] == [EventKind.APPEARED, EventKind.LEFT]


def test_a_damaged_frame_is_damaged_for_all() -> None:
    def find(frame: Frame) -> Detections:
        return damaged() if frame.seq == 5 else Detections.empty()  # type: ignore[return-value]

    rehearsal = Rehearsal(
        [candidate("every", Stride(1)), candidate("half", Stride(2))], ScriptedDetector(LABELS, find), clock=FakeClock()
    )
    for seq in range(10):
        rehearsal.step(a_frame(seq))
    every, half = rehearsal.finish()
    assert len(every.boxes) == len(half.boxes) == 10


def test_a_policy_is_charged_with_the_looks_that_it_asked_for() -> None:
    clock = FakeClock()

    def find(frame: Frame) -> Detections:
        clock.advance(0.02)
        sum(range(100_000))  # some milliseconds of CPU time, beside which the rest is nothing
        return Detections.empty()

    rehearsal = Rehearsal(
        [candidate("every", Stride(1)), candidate("half", Stride(2))], ScriptedDetector(LABELS, find), clock=clock
    )
    for seq in range(10):
        rehearsal.step(a_frame(seq))
    every, half = rehearsal.finish()
    assert (every.busy_s, half.busy_s) == pytest.approx((0.2, 0.1))
    assert 0 < half.cpu_s < every.cpu_s
