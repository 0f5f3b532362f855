from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import pytest

from edged.domain.detections import Detections
from edged.domain.events import EventKind, LeftReason
from edged.domain.frame import Frame
from edged.domain.scheduling import Decision
from edged.domain.tracks import Tracks
from edged.errors import BackendError
from edged.pipeline.dispatcher import Dispatcher, Lane
from edged.pipeline.mailbox import Mailbox
from edged.pipeline.reel import Reel
from edged.ports import EndOfStream
from edged.scheduling.turns import Turns
from edged.testing.clock import FakeClock
from edged.testing.detector import ScriptedDetector
from edged.testing.events import MemorySink
from tests.pipeline.parts import LABELS, a_frame, one_detection, pipeline_of


def test_nobody_starves_even_next_to_a_camera_that_always_has_a_frame() -> None:
    arrival, turns = threading.Condition(), list[str]()
    mailboxes = {name: Mailbox(arrival) for name in ("busy", "north", "south")}

    def observe(name: str, frame: Frame) -> None:
        turns.append(name)
        if frame.seq < 5:
            mailboxes["busy"].put(a_frame(frame.seq))  # it has a new one after every turn of anyone
            mailboxes[name].put(a_frame(frame.seq + 1))
        else:
            mailboxes[name].close()

    def lane(name: str) -> Lane:
        def told(frame: Frame, tracks: Tracks, decision: Decision) -> None:
            observe(name, frame)

        detector = ScriptedDetector(LABELS, [])
        return Lane(mailboxes[name], pipeline_of(detector, MemorySink(), FakeClock(), camera=name, observers=[told]))

    lanes = [lane(name) for name in mailboxes]
    for mailbox in mailboxes.values():
        mailbox.put(a_frame(0))
    Dispatcher(lanes, arrival, turns=Turns(), clock=FakeClock()).run(threading.Event())

    assert turns[:3] == ["busy", "north", "south"]
    for camera in mailboxes:
        waits = [turns[first : first + 9].count(camera) for first in range(len(turns) - 9)]
        assert min(waits) >= 1, f"{camera} had no turn in nine: {turns}"


def test_a_frame_that_waits_when_the_camera_ends_is_still_worked_on_and_open_visits_are_closed() -> None:
    arrival, sink = threading.Condition(), MemorySink()
    mailbox = Mailbox(arrival)
    detector = ScriptedDetector(LABELS, [one_detection((10, 10, 30, 40))] * 20)

    def observe(frame: Frame, tracks: Tracks, decision: Decision) -> None:
        if frame.seq < 19:
            mailbox.put(a_frame(frame.seq + 1))
        if frame.seq == 18:
            mailbox.close()

    mailbox.put(a_frame(0))
    pipeline = pipeline_of(detector, sink, FakeClock(), observers=[observe])
    Dispatcher([Lane(mailbox, pipeline)], arrival, turns=Turns(), clock=FakeClock()).run(threading.Event())

    assert pipeline.counts.frames == 20
    assert [event.kind for event in sink.events] == [EventKind.APPEARED, EventKind.LEFT]


def test_a_stop_closes_what_is_open() -> None:
    arrival, sink, stop = threading.Condition(), MemorySink(), threading.Event()
    mailbox = Mailbox(arrival)

    def find(frame: Frame) -> Detections:
        if detector.calls == 15:
            stop.set()
        mailbox.put(a_frame(detector.calls))
        return one_detection((10, 10, 30, 40))

    detector = ScriptedDetector(LABELS, find)
    mailbox.put(a_frame(0))
    pipeline = pipeline_of(detector, sink, FakeClock())
    Dispatcher([Lane(mailbox, pipeline)], arrival, turns=Turns(), clock=FakeClock()).run(stop)

    assert detector.calls == 15
    assert [event.kind for event in sink.events] == [EventKind.APPEARED, EventKind.LEFT]


@pytest.mark.parametrize("fails_at", [(), (1,)])
def test_a_frame_is_given_back_when_it_went_through_or_failed(fails_at: tuple[int, ...]) -> None:
    arrival, given_back = threading.Condition(), list[int]()
    mailbox = Mailbox(arrival)
    mailbox.put(a_frame(0, release=partial(given_back.append, 0)))
    mailbox.close()
    pipeline = pipeline_of(ScriptedDetector(LABELS, [], fails_at=fails_at), MemorySink(), FakeClock())
    with suppress(BackendError):
        Dispatcher([Lane(mailbox, pipeline)], arrival, turns=Turns(), clock=FakeClock()).run(threading.Event())
    assert given_back == [0]


def test_a_slow_detector_gets_the_newest_frame() -> None:
    arrival, seen = threading.Condition(), list[int]()
    mailbox = Mailbox(arrival)
    source = iter(range(1, 40))

    def observe(frame: Frame, tracks: Tracks, decision: Decision) -> None:
        seen.append(frame.seq)
        newer = [seq for _, seq in zip(range(4), source, strict=False)]  # four frames came meanwhile
        for seq in newer:
            mailbox.put(a_frame(seq))
        if not newer:
            mailbox.close()

    mailbox.put(a_frame(0))
    detector = ScriptedDetector(LABELS, [])
    pipeline = pipeline_of(detector, MemorySink(), FakeClock(), observers=[observe])
    Dispatcher([Lane(mailbox, pipeline)], arrival, turns=Turns(), clock=FakeClock()).run(threading.Event())

    assert seen == [0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 39]
    assert mailbox.dropped + len(seen) == 40


def busy_lane(
    arrival: threading.Condition,
    clock: FakeClock,
    stop: threading.Event,
    *,
    frames: int,
    look: Callable[[], object] = lambda: None,
) -> Lane:
    """A camera that has a new frame every tenth of a second; it ends the run after the last one."""
    mailbox = Mailbox(arrival)

    def observe(frame: Frame, tracks: Tracks, decision: Decision) -> None:
        look()
        clock.advance(0.1)
        mailbox.put(a_frame(frame.seq + 1, at=clock.monotonic()))
        if frame.seq + 1 == frames:
            stop.set()

    mailbox.put(a_frame(0, at=clock.monotonic()))
    return Lane(mailbox, pipeline_of(ScriptedDetector(LABELS, []), MemorySink(), clock, observers=[observe]))


def kept(sink: MemorySink) -> list[tuple[EventKind, LeftReason | None]]:
    return [(event.kind, event.reason) for event in sink.track_events]


def test_a_recording_that_ended_beside_a_running_camera_is_finished_at_once_and_once() -> None:
    arrival, clock, sink, stop = threading.Condition(), FakeClock(), MemorySink(), threading.Event()
    mailbox = Mailbox(arrival)
    told_at: list[int] = []

    def find(frame: Frame) -> Detections:
        if detector.calls < 20:
            mailbox.put(a_frame(detector.calls))
        else:
            mailbox.close()
        return one_detection((10, 10, 30, 40))

    detector = ScriptedDetector(LABELS, find)
    mailbox.put(a_frame(0))
    busy = busy_lane(arrival, clock, stop, frames=200, look=lambda: told_at.append(len(sink.events)))
    ended = Lane(mailbox, pipeline_of(detector, sink, clock))
    Dispatcher([busy, ended], arrival, turns=Turns(), clock=clock).run(stop)

    assert told_at[30] == 2
    assert kept(sink) == [(EventKind.APPEARED, None), (EventKind.LEFT, LeftReason.ENDED)]


def test_a_camera_that_falls_silent_beside_a_busy_one_is_told_that_time_passes() -> None:
    arrival, clock, sink, stop = threading.Condition(), FakeClock(), MemorySink(), threading.Event()
    mailbox = Mailbox(arrival)

    def find(frame: Frame) -> Detections:
        if detector.calls < 20:
            mailbox.put(a_frame(detector.calls, at=clock.monotonic()))
        return one_detection((10, 10, 30, 40))

    detector = ScriptedDetector(LABELS, find)
    mailbox.put(a_frame(0, at=clock.monotonic()))
    silent = Lane(mailbox, pipeline_of(detector, sink, clock, silent_after_s=5.0))
    Dispatcher([busy_lane(arrival, clock, stop, frames=200), silent], arrival, turns=Turns(), clock=clock).run(stop)

    assert kept(sink) == [(EventKind.APPEARED, None), (EventKind.LEFT, LeftReason.GONE)]


@pytest.mark.parametrize(("silent_for_s", "appears"), [(0.0, True), (1.5, False)])
def test_a_slow_detector_makes_no_silent_camera_but_a_gap_in_its_frames_does(
    silent_for_s: float, appears: bool
) -> None:
    arrival, clock, sink, stop = threading.Condition(), FakeClock(), MemorySink(), threading.Event()
    mailbox = Mailbox(arrival)

    def find(frame: Frame) -> Detections:
        clock.advance(silent_for_s)
        for _ in range(16):  # come while the detector is at work
            clock.advance(0.1)
            mailbox.put(a_frame(frame.seq + 1, at=clock.monotonic()))
        if detector.calls == 10:
            stop.set()
        return one_detection((10, 10, 30, 40))

    detector = ScriptedDetector(LABELS, find)
    mailbox.put(a_frame(0, at=clock.monotonic()))
    Dispatcher(
        [Lane(mailbox, pipeline_of(detector, sink, clock, silent_after_s=1.5))], arrival, turns=Turns(), clock=clock
    ).run(stop)

    assert [event.kind for event in sink.events] == ([EventKind.APPEARED, EventKind.LEFT] if appears else [])


def lend(reel: Reel, frames: int, *, then: threading.Event) -> None:
    """Stand in for a capture thread: so many frames, and the end once `then` is set."""
    left = iter(range(frames))

    def read() -> Frame | None:
        for seq in left:
            return a_frame(seq)
        if then.wait(0.01):
            raise EndOfStream
        return None  # it cannot block: the thread that reads serves the other cameras too

    with suppress(EndOfStream):
        reel.lend(read, threading.Event())
    reel.close()


def test_a_recording_may_come_while_others_are_served_and_one_that_ends_is_waited_for() -> None:
    arrival = threading.Condition()
    sinks = {name: MemorySink() for name in ("first", "second")}
    ends = {name: threading.Event() for name in sinks}
    reels = {name: Reel(arrival) for name in sinks}
    lanes = {
        name: Lane(
            reels[name],
            pipeline_of(ScriptedDetector(LABELS, [one_detection((10, 10, 30, 40))] * 20), sink, FakeClock()),
        )
        for name, sink in sinks.items()
    }
    dispatcher = Dispatcher([lanes["first"]], arrival, turns=Turns(), clock=FakeClock())
    never = threading.Event()
    threads = [threading.Thread(target=dispatcher.run, args=(never,), daemon=True)]
    threads += [
        threading.Thread(target=lend, args=(reels[name], 20), kwargs={"then": ends[name]}, daemon=True)
        for name in reels
    ]
    threads[0].start()
    assert dispatcher.add([lanes["second"]])
    for thread in threads[1:]:
        thread.start()
    ends["first"].set()

    assert dispatcher.wait_until_finished([lanes["first"]], 10.0)
    assert not dispatcher.wait_until_finished([lanes["second"]], 0.0)
    assert [event.kind for event in sinks["first"].track_events] == [EventKind.APPEARED, EventKind.LEFT]
    ends["second"].set()
    for thread in threads:
        thread.join(10.0)
    assert [event.kind for event in sinks["second"].track_events] == [EventKind.APPEARED, EventKind.LEFT]
    assert not dispatcher.add([lanes["second"]])  # too late


def test_a_recordings_frame_that_waits_for_its_turn_is_considered_once_and_lets_no_other_by() -> None:
    arrival, end = threading.Condition(), threading.Event()
    reel = Reel(arrival)
    lane = Lane(reel, pipeline_of(ScriptedDetector(LABELS, []), MemorySink(), FakeClock()))
    lender = threading.Thread(target=lend, args=(reel, 2), kwargs={"then": end}, daemon=True)
    lender.start()
    with arrival:
        assert arrival.wait_for(lambda: reel.waiting, 10.0)
    held = []
    for _ in range(2):
        assert lane.refresh()
        assert not lane.refresh()
        assert lane.held is not None
        held.append(lane.held.seq)
        lane.drop()
    end.set()
    assert not lane.refresh()
    lender.join(10.0)

    assert held == [0, 1]
    assert lane.ended


def test_the_detector_goes_to_the_camera_that_needs_it_and_the_other_sees_every_frame_pass() -> None:
    arrival, never, looks = threading.Condition(), threading.Event(), list[str]()
    mailboxes = {name: Mailbox(arrival) for name in ("quiet", "busy")}

    def lane(name: str, every: int) -> Lane:
        def told(frame: Frame, tracks: Tracks, decision: Decision) -> None:
            if decision is Decision.DETECT:
                looks.append(name)
            if frame.seq < 40:
                mailboxes[name].put(a_frame(frame.seq + 1))
            else:
                mailboxes[name].close()

        detector = ScriptedDetector(LABELS, [])
        pipeline = pipeline_of(detector, MemorySink(), FakeClock(), camera=name, every=every, observers=[told])
        mailboxes[name].put(a_frame(0))
        return Lane(mailboxes[name], pipeline)

    lanes = [lane("quiet", 20), lane("busy", 1)]
    Dispatcher(lanes, arrival, turns=Turns(), clock=FakeClock()).run(never)

    assert [one.pipeline.counts.frames for one in lanes] == [41, 41]
    assert (looks.count("quiet"), looks.count("busy")) == (3, 41)


def test_a_frame_that_waits_for_the_detector_gives_way_to_a_newer_one_and_is_given_back() -> None:
    arrival, never, given_back, seen = threading.Condition(), threading.Event(), list[int](), list[int]()
    first, second = Mailbox(arrival), Mailbox(arrival)

    def at_the_first(frame: Frame) -> Detections:
        second.put(a_frame(1, release=partial(given_back.append, 1)))  # while the detector is at work elsewhere
        second.close()
        first.close()
        return Detections.empty()

    def told(frame: Frame, tracks: Tracks, decision: Decision) -> None:
        seen.append(frame.seq)

    first.put(a_frame(0))
    second.put(a_frame(0, release=partial(given_back.append, 0)))
    lanes = [
        Lane(first, pipeline_of(ScriptedDetector(LABELS, at_the_first), MemorySink(), FakeClock())),
        Lane(second, pipeline_of(ScriptedDetector(LABELS, []), MemorySink(), FakeClock(), observers=[told])),
    ]
    Dispatcher(lanes, arrival, turns=Turns(), clock=FakeClock()).run(never)

    assert seen == [1]
    assert given_back == [0, 1]
    assert second.dropped == 1
