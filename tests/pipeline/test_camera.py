from __future__ import annotations

import weakref

import pytest

from edged.domain.detections import Detections
from edged.domain.events import Box, EventKind, LeftReason
from edged.domain.frame import BgrImage, Frame
from edged.domain.scheduling import Decision
from edged.domain.tracks import Tracks
from edged.errors import BackendError
from edged.pipeline.best_shots import BestShots
from edged.pipeline.camera import CameraPipeline
from edged.pipeline.latency import Latency
from edged.pipeline.picture_watch import PictureWatch
from edged.ports import EndOfStream
from edged.testing.clock import FakeClock
from edged.testing.detector import ScriptedDetector
from edged.testing.events import MemorySink
from edged.testing.source import SyntheticSource
from edged.tracking.bytetrack import ByteTrack
from tests.pipeline.parts import (
    LABELS,
    a_frame,
    damaged,
    make_tracker,
    must_not_be_decoded,
    one_detection,
    passer_by,
    pipeline_of,
    sees_all,
)


def play(source: SyntheticSource, pipeline: CameraPipeline) -> None:
    source.open()
    while True:
        try:
            frame = source.read(1.0)
        except EndOfStream:
            break
        assert frame is not None
        pipeline.step(frame)
    pipeline.finish()


@pytest.mark.parametrize("every", [1, 3])
def test_each_passer_by_appears_once_and_leaves_once_where_it_came_and_went(every: int) -> None:
    clock, sink = FakeClock(), MemorySink()
    cast = [
        passer_by(1, first_seq=5, last_seq=50, y=20),
        passer_by(2, first_seq=20, last_seq=70, y=150),
        passer_by(3, first_seq=100, last_seq=130, y=20),
    ]
    source = SyntheticSource(clock=clock, objects=cast, frames=200)
    seqs = range(0, 200, every)
    play(source, pipeline_of(sees_all(source, seqs), sink, clock, every=every))

    appeared = [event for event in sink.track_events if event.kind is EventKind.APPEARED]
    left = [event for event in sink.track_events if event.kind is EventKind.LEFT]
    assert len({event.track_id for event in appeared}) == len(appeared) == len(left) == 3
    assert {event.track_id for event in left} == {event.track_id for event in appeared}
    for thing, event in zip(cast, sorted(left, key=lambda event: event.started_at), strict=True):
        assert thing.last_seq is not None
        seen = [seq for seq in seqs if thing.first_seq <= seq <= thing.last_seq]
        feet = []
        for seq in (seen[0], seen[-1]):
            box = thing.xyxy(seq, width_px=320, height_px=240)
            assert box is not None
            feet.append(((box[0] + box[2]) / 2, float(box[3])))
        assert event.entry_xy == pytest.approx(feet[0], abs=0.5)
        assert event.exit_xy == pytest.approx(feet[1], abs=4)  # the filter smooths
        assert event.duration_s == pytest.approx((seen[-1] - seen[0]) / 10, abs=1e-6)
        assert event.at == pytest.approx(1000 + seen[-1] / 10, abs=1e-6)
        assert event.reason is LeftReason.GONE


def test_someone_still_in_view_at_the_end_leaves_with_that_reason() -> None:
    clock, sink = FakeClock(), MemorySink()
    source = SyntheticSource(clock=clock, objects=[passer_by(1, first_seq=0, last_seq=99)], frames=30)
    play(source, pipeline_of(sees_all(source, range(30)), sink, clock))

    assert [(event.kind, event.reason) for event in sink.events] == [
        (EventKind.APPEARED, None),
        (EventKind.LEFT, LeftReason.ENDED),
    ]


def test_a_frame_that_is_only_predicted_is_never_decoded() -> None:
    clock, seen = FakeClock(), list[tuple[int, Decision]]()

    def observe(frame: Frame, tracks: Tracks, decision: Decision) -> None:
        seen.append((frame.seq, decision))

    detector = ScriptedDetector(LABELS, [one_detection((10, 10, 30, 40))] * 3)
    pipeline = pipeline_of(detector, MemorySink(), clock, every=4, observers=[observe])
    for seq in range(12):
        pipeline.step(a_frame(seq, decode=must_not_be_decoded if seq % 4 else None))

    assert [seq for seq, decision in seen if decision is Decision.DETECT] == [0, 4, 8]
    assert detector.calls == pipeline.counts.detected == 3
    assert pipeline.counts.frames == 12


def test_a_corrupt_frame_is_predicted_over_and_counted() -> None:
    clock, sink, seen = FakeClock(), MemorySink(), list[int]()

    def observe(frame: Frame, tracks: Tracks, decision: Decision) -> None:
        seen.append(len(tracks.confirmed()))

    detector = ScriptedDetector(LABELS, [one_detection((10, 10, 30, 40))] * 30)
    pipeline = pipeline_of(detector, sink, clock, observers=[observe])
    for seq in range(30):
        pipeline.step(a_frame(seq, decode=damaged if seq in (10, 11, 20) else None))
    pipeline.finish()

    assert pipeline.counts.corrupt == 3
    assert pipeline.counts.frames == 30
    assert pipeline.counts.detected == detector.calls == 27
    assert seen[10:12] == [1, 1]  # still there
    assert [event.kind for event in sink.events] == [EventKind.APPEARED, EventKind.LEFT]


def test_a_picture_that_the_detector_cannot_take_is_a_corrupt_frame() -> None:
    def find(frame: Frame) -> Detections:
        return damaged() if detector.calls == 10 else one_detection((10, 10, 30, 40))  # type: ignore[return-value]

    detector, sink = ScriptedDetector(LABELS, find), MemorySink()
    pipeline = pipeline_of(detector, sink, FakeClock())
    for seq in range(20):
        pipeline.step(a_frame(seq))

    assert (pipeline.counts.frames, pipeline.counts.detected, pipeline.counts.corrupt) == (20, 19, 1)
    assert [event.kind for event in sink.events] == [EventKind.APPEARED]


def test_the_frame_after_a_corrupt_one_is_detected_in_its_place() -> None:
    seen = list[tuple[int, int]]()

    def observe(frame: Frame, tracks: Tracks, decision: Decision) -> None:
        seen.append((frame.seq, detector.calls))

    detector = ScriptedDetector(LABELS, [])
    pipeline = pipeline_of(detector, MemorySink(), FakeClock(), every=4, observers=[observe])
    for seq in range(11):
        pipeline.step(a_frame(seq, decode=damaged if seq in (4, 5) else None))

    assert [calls for _, calls in seen] == [1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 3]  # 0, then 6 for 4, then 10


def test_a_run_of_corrupt_frames_is_told_once_a_minute_with_their_number(caplog: pytest.LogCaptureFixture) -> None:
    clock = FakeClock()
    pipeline = pipeline_of(ScriptedDetector(LABELS, []), MemorySink(), clock)
    for seq in range(300):
        pipeline.step(a_frame(seq, decode=damaged))
        clock.advance(0.5)

    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 3  # at 0, 60 and 120 s
    assert "half of the picture is missing" in told[0]
    assert "damaged frames, 121 so far" in told[1]
    assert pipeline.counts.corrupt == 300


def test_a_camera_that_begins_with_corrupt_frames_works_all_the_same() -> None:
    sink = MemorySink()
    pipeline = pipeline_of(ScriptedDetector(LABELS, [one_detection((10, 10, 30, 40))] * 20), sink, FakeClock())
    for seq in range(20):
        pipeline.step(a_frame(seq, decode=damaged if seq < 3 else None))

    assert [event.kind for event in sink.events] == [EventKind.APPEARED]
    assert pipeline.counts.corrupt == 3


def watch_for(seconds: float, clock: FakeClock, pipeline: CameraPipeline) -> None:
    """A camera that gives ten frames a second."""
    for seq in range(round(10 * seconds)):
        clock.advance(0.1)
        pipeline.step(a_frame(seq, at=clock.monotonic()))


def silence_for(seconds: float, clock: FakeClock, pipeline: CameraPipeline) -> None:
    for _ in range(round(2 * seconds)):
        clock.advance(0.5)
        pipeline.idle()


def test_those_in_view_of_a_camera_that_fell_silent_are_gone_after_its_time_out() -> None:
    clock, sink = FakeClock(), MemorySink()
    detector = ScriptedDetector(LABELS, [one_detection((10, 10, 30, 40))] * 20)
    pipeline = pipeline_of(detector, sink, clock, silent_after_s=5.0)
    watch_for(2.0, clock, pipeline)
    silence_for(4.5, clock, pipeline)
    assert (len(sink.events), pipeline.counts.tracks) == (1, 1)
    silence_for(2.0, clock, pipeline)

    assert pipeline.counts.tracks == 0
    assert [(event.kind, event.reason) for event in sink.events] == [
        (EventKind.APPEARED, None),
        (EventKind.LEFT, LeftReason.GONE),
    ]
    assert sink.events[1].at == pytest.approx(1002.0)  # the last sighting, before the silence
    assert (pipeline.counts.frames, detector.calls) == (20, 20)


def test_one_who_left_just_before_the_camera_fell_silent_is_told_of_in_good_time() -> None:
    clock, sink = FakeClock(), MemorySink()
    pipeline = pipeline_of(
        ScriptedDetector(LABELS, [one_detection((10, 10, 30, 40))] * 20), sink, clock, silent_after_s=60.0
    )
    watch_for(2.5, clock, pipeline)
    silence_for(3.0, clock, pipeline)
    assert [event.kind for event in sink.events] == [EventKind.APPEARED, EventKind.LEFT]


def test_a_camera_that_comes_back_shows_the_same_object_again_under_the_same_visit() -> None:
    clock, sink = FakeClock(), MemorySink()
    detector = ScriptedDetector(LABELS, [one_detection((10, 10, 30, 40))] * 40)
    pipeline = pipeline_of(detector, sink, clock, silent_after_s=5.0)
    watch_for(2.0, clock, pipeline)
    silence_for(4.5, clock, pipeline)
    watch_for(2.0, clock, pipeline)
    assert [event.kind for event in sink.events] == [EventKind.APPEARED]
    assert pipeline.counts.tracks == 1


@pytest.mark.parametrize("somebody_lets_time_pass", [True, False])
def test_one_who_stands_there_again_after_an_outage_has_left_and_appears_anew(somebody_lets_time_pass: bool) -> None:
    clock, sink = FakeClock(), MemorySink()
    detector = ScriptedDetector(LABELS, [one_detection((10, 10, 30, 40))] * 60)
    pipeline = pipeline_of(detector, sink, clock, every=3, silent_after_s=1.5)
    watch_for(2.0, clock, pipeline)
    if somebody_lets_time_pass:
        silence_for(10.0, clock, pipeline)
    else:  # the process was stopped, or had no time
        clock.advance(10.0)
    watch_for(3.0, clock, pipeline)

    first, left, second = sink.track_events
    assert [event.kind for event in (first, left, second)] == [EventKind.APPEARED, EventKind.LEFT, EventKind.APPEARED]
    assert (first.track_id, left.reason) == (left.track_id, LeftReason.GONE)
    assert second.track_id != first.track_id
    assert left.at == pytest.approx(1001.9)  # the last detection before the outage
    assert second.started_at == pytest.approx(1012.2)  # the first after it that fell due
    assert second.at >= 1013.2


def test_a_camera_whose_picture_stands_still_is_told_among_the_events_and_in_the_status() -> None:
    clock, sink = FakeClock(), MemorySink()
    pipeline = pipeline_of(
        ScriptedDetector(LABELS, []), sink, clock, every=2, silent_after_s=5.0, picture_watch=PictureWatch("yard")
    )
    assert pipeline.picture == "ok"
    watch_for(15.0, clock, pipeline)

    assert [event.kind for event in sink.events] == [EventKind.PICTURE_BLANK]
    assert (pipeline.picture, pipeline.counts.events) == ("blank", 1)


def test_a_picture_that_stands_still_is_told_also_where_the_detector_looks_every_fifteen_seconds() -> None:
    clock, sink = FakeClock(), MemorySink()
    watch = PictureWatch("yard")
    pipeline = pipeline_of(
        ScriptedDetector(LABELS, []), sink, clock, every=150, silent_after_s=1.5, picture_watch=watch
    )
    watch_for(70.0, clock, pipeline)
    assert [event.kind for event in sink.events] == [EventKind.PICTURE_BLANK]


def test_a_gap_in_the_frames_ends_what_was_known_of_the_picture() -> None:
    clock, sink = FakeClock(), MemorySink()
    watch = PictureWatch("yard")
    pipeline = pipeline_of(ScriptedDetector(LABELS, []), sink, clock, silent_after_s=1.5, picture_watch=watch)
    for _ in range(6):
        watch_for(9.0, clock, pipeline)
        clock.advance(2.0)
    assert sink.events == []


def test_a_camera_of_which_every_picture_is_damaged_shows_nobody_and_is_told() -> None:
    clock, sink = FakeClock(), MemorySink()
    pipeline = pipeline_of(
        ScriptedDetector(LABELS, [one_detection((10, 10, 30, 40))] * 99),
        sink,
        clock,
        silent_after_s=1.5,
        picture_watch=PictureWatch("yard"),
    )
    watch_for(2.0, clock, pipeline)
    for seq in range(6000):  # ten minutes
        clock.advance(0.1)
        pipeline.step(a_frame(seq, at=clock.monotonic(), decode=damaged))
        clock.advance(0.01)
        pipeline.idle()

    appeared, left, picture = sink.events
    assert [appeared.kind, left.kind, picture.kind] == [
        EventKind.APPEARED,
        EventKind.LEFT,
        EventKind.PICTURE_DAMAGED,
    ]
    assert [left.at, picture.at] == pytest.approx([1002.0, 1002.1])  # the last sighting; the first damaged picture
    assert (pipeline.counts.tracks, pipeline.picture) == (0, "damaged")


def test_a_moment_of_damage_ends_no_track() -> None:
    clock, sink = FakeClock(), MemorySink()
    pipeline = pipeline_of(
        ScriptedDetector(LABELS, [one_detection((10, 10, 30, 40))] * 99), sink, clock, silent_after_s=1.5
    )
    watch_for(2.0, clock, pipeline)
    for seq in range(14):
        clock.advance(0.1)
        pipeline.step(a_frame(seq, at=clock.monotonic(), decode=damaged))
        assert pipeline.counts.tracks == 1
    watch_for(2.0, clock, pipeline)
    assert [event.kind for event in sink.events] == [EventKind.APPEARED]


def test_a_recording_may_stand_still() -> None:
    clock, sink = FakeClock(), MemorySink()
    pipeline = pipeline_of(ScriptedDetector(LABELS, []), sink, clock)
    watch_for(60.0, clock, pipeline)
    assert (sink.events, pipeline.picture) == ([], None)


def test_a_frame_that_was_under_way_while_time_passed_does_not_turn_time_back() -> None:
    clock = FakeClock()
    pipeline = pipeline_of(ScriptedDetector(LABELS, []), MemorySink(), clock, silent_after_s=5.0)
    watch_for(2.0, clock, pipeline)
    taken_at = clock.monotonic() + 6.99
    silence_for(7.0, clock, pipeline)
    pipeline.step(a_frame(20, at=taken_at))
    assert pipeline.counts.detected == 21


def test_time_does_not_pass_for_a_recording_and_before_the_first_frame() -> None:
    clock, sink = FakeClock(), MemorySink()
    detector = ScriptedDetector(LABELS, [one_detection((10, 10, 30, 40))] * 60)
    recording, early = pipeline_of(detector, sink, clock), pipeline_of(detector, sink, clock, silent_after_s=5.0)
    silence_for(60.0, clock, early)
    watch_for(2.0, clock, recording)
    silence_for(60.0, clock, recording)
    assert [event.kind for event in sink.events] == [EventKind.APPEARED]
    watch_for(2.0, clock, early)
    assert [event.kind for event in sink.events] == [EventKind.APPEARED] * 2


@pytest.mark.parametrize(("pause_s", "visits"), [(4.0, 1), (9.0, 2)])
def test_a_recording_that_goes_on_after_a_pause_begins_anew(pause_s: float, visits: int) -> None:
    clock, sink = FakeClock(), MemorySink()
    pipeline = pipeline_of(ScriptedDetector(LABELS, [one_detection((10, 10, 30, 40))] * 40), sink, clock)
    watch_for(2.0, clock, pipeline)
    clock.advance(pause_s)
    watch_for(2.0, clock, pipeline)
    pipeline.finish()
    assert [event.kind for event in sink.events] == [EventKind.APPEARED, EventKind.LEFT] * visits


def test_a_recording_of_a_picture_a_minute_has_no_pauses() -> None:
    clock, sink = FakeClock(), MemorySink()
    pipeline = pipeline_of(ScriptedDetector(LABELS, [one_detection((10, 10, 30, 40))] * 40), sink, clock)
    for seq in range(40):
        pipeline.step(a_frame(seq, at=clock.monotonic()))
        clock.advance(60.0)
    pipeline.finish()
    assert [event.kind for event in sink.events] == [EventKind.APPEARED, EventKind.LEFT]


def test_nobody_is_in_view_after_the_end() -> None:
    pipeline = pipeline_of(ScriptedDetector(LABELS, [one_detection((10, 10, 30, 40))] * 20), MemorySink(), FakeClock())
    for seq in range(20):
        pipeline.step(a_frame(seq))
    assert pipeline.counts.tracks == 1
    pipeline.finish()
    assert pipeline.counts.tracks == 0


def test_no_frames_at_all_make_no_events() -> None:
    sink = MemorySink()
    pipeline_of(ScriptedDetector(LABELS, []), sink, FakeClock()).finish()
    assert sink.events == []


def test_the_failure_of_the_engine_comes_out_as_it_is() -> None:
    pipeline = pipeline_of(ScriptedDetector(LABELS, [], fails_at=[2]), MemorySink(), FakeClock())
    pipeline.step(a_frame(0))
    with pytest.raises(BackendError):
        pipeline.step(a_frame(1))


def test_the_time_of_each_detection_is_noted() -> None:
    clock, latency = FakeClock(), Latency()

    def find(_: object) -> Detections:
        clock.advance(0.02)
        return Detections.empty()

    pipeline = pipeline_of(ScriptedDetector(LABELS, find), MemorySink(), clock, every=2, latency=latency)
    assert latency.percentile_ms(50) is None
    for seq in range(4):
        pipeline.step(a_frame(seq))
    assert latency.percentile_ms(50) == pytest.approx(20)
    assert latency.percentile_ms(99) == pytest.approx(20)


def test_events_carry_the_best_shot_of_their_own_track() -> None:
    sink = MemorySink()
    shots = BestShots(
        crop=lambda frame, box: frame.image()[int(box[1]) : int(box[3]), int(box[0]) : int(box[2])].copy(),
        encode=lambda image: f"{image.shape[1]} x {image.shape[0]}".encode(),
    )
    boxes = [one_detection((10, 10, 20 + min(seq, 8), 40)) for seq in range(20)]
    pipeline = pipeline_of(ScriptedDetector(LABELS, boxes), sink, FakeClock(), best_shots=shots)
    for seq in range(20):
        pipeline.step(a_frame(seq))
    pipeline.finish()

    assert [event.kind for event in sink.events] == [EventKind.APPEARED, EventKind.LEFT]
    assert all(jpeg is not None and jpeg.endswith(b"x 30") for jpeg in sink.snapshots)


def test_an_object_that_rejoined_leaves_with_the_best_shot_of_both_its_tracks() -> None:
    sink = MemorySink()
    shots = BestShots(
        crop=lambda frame, box: frame.image()[int(box[1]) : round(box[3]), int(box[0]) : round(box[2])].copy(),
        encode=lambda image: f"{image.shape[1]} wide".encode(),
    )
    first, second = one_detection((10, 10, 30, 40), confidence=0.6), one_detection((10, 10, 34, 40), confidence=0.95)
    script = [first] * 20 + [Detections.empty()] * 15 + [second] * 20 + [Detections.empty()] * 60
    pipeline = pipeline_of(ScriptedDetector(LABELS, script), sink, FakeClock(), best_shots=shots)
    for seq in range(len(script)):
        pipeline.step(a_frame(seq))

    assert [(event.kind, event.track_id) for event in sink.track_events] == [
        (EventKind.APPEARED, 1),
        (EventKind.LEFT, 1),
    ]
    assert sink.snapshots == [b"20 wide", b"24 wide"]


def test_the_shots_of_those_who_left_long_ago_are_not_kept() -> None:
    alive: list[weakref.ref[BgrImage]] = []

    def crop(frame: Frame, box: Box) -> BgrImage:
        copy = frame.part(0, 0, 4, 4)
        alive.append(weakref.ref(copy))
        return copy

    clock, sink = FakeClock(), MemorySink()
    cast = [passer_by(number, first_seq=40 * number, last_seq=40 * number + 19) for number in range(1, 31)]
    source = SyntheticSource(clock=clock, objects=cast, frames=1300)
    shots = BestShots(crop=crop, encode=lambda image: b"jpeg")
    pipeline = pipeline_of(sees_all(source, range(1300)), sink, clock, best_shots=shots)
    kept_most = 0
    source.open()
    for _ in range(1300):
        frame = source.read(1.0)
        assert frame is not None
        pipeline.step(frame)
        kept_most = max(kept_most, sum(shot() is not None for shot in alive))

    assert len(sink.events) == 60
    assert sink.snapshots == [b"jpeg"] * 60
    assert len(alive) >= 30
    assert kept_most <= 2


class Told(ByteTrack):
    """Remembers how many frames were skipped before each update, and how often it was asked for a prediction."""

    def __init__(self, **settings: float) -> None:
        super().__init__(**settings)  # type: ignore[arg-type]
        self.skipped: list[int] = []
        self.asked = 0

    def update(self, detections: Detections, at: float, *, skipped: int = 0) -> Tracks:
        self.skipped.append(skipped)
        return super().update(detections, at, skipped=skipped)

    def predict(self, at: float) -> Tracks:
        self.asked += 1
        return super().predict(at)


@pytest.mark.parametrize(
    ("every", "seqs", "skipped"),
    [
        (1, [0, 1, 2], [0, 0, 0]),
        (2, [0, 1, 2, 3], [0, 1]),
        (1, [0, 1, 7, 8], [0, 0, 5, 0]),
        (1, [7, 8], [0, 0]),
        (1, [7, 0, 1], [0, 0, 0]),
    ],
)
def test_the_tracker_hears_of_frames_that_went_by_undetected_or_were_dropped(
    every: int, seqs: list[int], skipped: list[int]
) -> None:
    tracker = make_tracker(Told)
    pipeline = pipeline_of(
        ScriptedDetector(LABELS, lambda _: Detections.empty()), MemorySink(), FakeClock(), every=every, tracker=tracker
    )
    for seq in seqs:
        pipeline.step(a_frame(seq))
    assert tracker.skipped == skipped
    assert tracker.asked == len(seqs) - len(skipped), "a frame that is detected needs no prediction"


def test_the_frames_of_a_silence_are_not_told_of_as_skipped_once_more() -> None:
    tracker = make_tracker(Told)
    pipeline = pipeline_of(
        ScriptedDetector(LABELS, lambda _: Detections.empty()),
        MemorySink(),
        FakeClock(),
        tracker=tracker,
        silent_after_s=1.5,
    )
    for seq in (0, 1000, 1001):
        pipeline.step(a_frame(seq))
    assert tracker.skipped == [0, 0, 0, 0], "the second update is that of the silence"
