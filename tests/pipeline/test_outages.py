"""What a camera's outages leave in the event log."""

from __future__ import annotations

import threading

import pytest

from edged.domain.events import CameraEvent, EventKind
from edged.domain.frame import Frame
from edged.errors import EdgedError, SourceError, SourceLost
from edged.pipeline.mailbox import Mailbox
from edged.testing.clock import FakeClock
from edged.testing.events import MemorySink
from edged.testing.source import SyntheticSource
from tests.pipeline.parts import Recorder, Wrapped, feeder_of

LOST, BACK = EventKind.CAMERA_LOST, EventKind.CAMERA_BACK


def a_camera(clock: FakeClock, *, frames: int = 100, **faults: object) -> SyntheticSource:
    """Ten frames a second, from each opening anew."""
    return SyntheticSource(
        clock=clock,
        width_px=32,
        height_px=24,
        objects=0,
        frames=frames,
        in_real_time=True,
        **faults,  # type: ignore[arg-type]
    )


def fed(source: SyntheticSource | Wrapped, clock: FakeClock, stop: threading.Event | None = None) -> list[CameraEvent]:
    """What is told while the source is fed to its end."""
    sink, mailbox = MemorySink(), Mailbox(threading.Condition())
    feeder = feeder_of(source, mailbox, clock, reopen=True, frame_timeout_s=1.5, events=sink)
    feeder.run(stop or threading.Event())
    assert sink.snapshots == [None] * len(sink.events)
    assert feeder.outages.begun == [event.kind for event in sink.events].count(LOST)
    return sink.camera_events


def test_an_outage_is_one_event_when_it_begins_and_one_when_it_is_over() -> None:
    clock = FakeClock()
    source = a_camera(clock, fail_at=31)
    opens = iter([0, 3])  # the first opening works; after the loss three fail

    class Unplugged(Wrapped):
        def open(self) -> None:
            source.failing_opens = next(opens, source.failing_opens)
            super().open()

    lost, back = fed(Unplugged(source), clock)

    assert (lost.kind, lost.reason, lost.detail) == (LOST, "unplugged", "the synthetic camera went away")
    assert (lost.camera, back.camera) == ("yard", "yard")
    assert [lost.at, lost.duration_s] == pytest.approx([1003.0, 0.0])
    assert (back.kind, back.reason, back.detail) == (BACK, "unplugged", None)
    assert back.at == pytest.approx(1003.0 + 0.5 + 1 + 2 + 2)
    assert [back.started_at, back.duration_s] == pytest.approx([lost.at, 5.5])


def test_a_camera_that_falls_silent_was_lost_when_its_last_frame_came() -> None:
    clock = FakeClock()
    lost, back = fed(a_camera(clock, stall_at=21), clock)

    assert (lost.kind, lost.reason, back.kind) == (LOST, "stalled", BACK)
    assert [lost.at, back.duration_s] == pytest.approx([1002.0, 1.5 + 0.5])


def test_a_camera_that_is_not_there_at_the_start_is_lost_from_then_on() -> None:
    clock = FakeClock()
    lost, back = fed(a_camera(clock, failing_opens=3), clock)

    assert (lost.kind, lost.reason, back.kind) == (LOST, "not_found", BACK)
    assert [lost.at, back.at, back.duration_s] == pytest.approx([1000.0, 1003.5, 3.5])


def test_a_camera_that_comes_and_goes_is_one_outage() -> None:
    clock, seen = FakeClock(), list[float]()

    def fail_twenty_times(frame: Frame | None) -> None:
        if frame is not None and frame.seq == 20 and len(seen) < 20:
            seen.append(clock.monotonic())
            raise SourceLost("a loose contact", hint="Fasten it.")

    source = a_camera(clock)
    lost, back = fed(Wrapped(source, on_read=fail_twenty_times), clock)

    assert len(seen) == 20
    assert lost.detail == "a loose contact"
    assert [lost.at, back.at] == pytest.approx([1001.9, seen[-1] + 0.5])


def test_two_outages_with_steady_frames_in_between_are_two() -> None:
    clock, seen = FakeClock(), list[float]()

    def fail_twice(frame: Frame | None) -> None:
        if frame is not None and frame.seq == 40 and len(seen) < 2:
            seen.append(clock.monotonic())
            raise SourceLost("unplugged", hint="Plug it in.")

    source = a_camera(clock)
    events = fed(Wrapped(source, on_read=fail_twice), clock)

    assert [event.kind for event in events] == [LOST, BACK, LOST, BACK]


def test_a_stop_in_the_middle_of_an_outage_tells_of_no_return() -> None:
    clock = Recorder(stop_after=3)
    source = Wrapped(a_camera(clock))
    source.fail_always = SourceLost("unplugged", hint="Plug it in.")

    assert [event.kind for event in fed(source, clock)] == [LOST]


def test_a_camera_that_gives_frames_again_when_edged_stops_was_back() -> None:
    clock, stop = FakeClock(), threading.Event()
    source = a_camera(clock, failing_opens=1)

    def stop_at_seven(frame: Frame | None) -> None:
        if frame is not None and frame.seq == 7:
            stop.set()

    lost, back = fed(Wrapped(source, on_read=stop_at_seven), clock, stop)

    assert (lost.kind, back.kind) == (LOST, BACK)
    assert [back.at, back.duration_s] == pytest.approx([1000.5, 0.5])


def test_a_file_has_no_outages() -> None:
    clock, sink = FakeClock(), MemorySink()
    with pytest.raises(SourceLost):
        feeder_of(a_camera(clock, fail_at=5), Mailbox(threading.Condition()), clock, reopen=False, events=sink).run(
            threading.Event()
        )

    assert sink.events == []


def test_the_log_tells_of_an_outage_once_each_way(caplog: pytest.LogCaptureFixture) -> None:
    clock = FakeClock()
    fed(a_camera(clock, failing_opens=9), clock)

    told = [record.getMessage().splitlines()[0] for record in caplog.records]
    assert told[0] == "camera yard is lost (not_found): the synthetic camera is unplugged"
    assert told[1:] == ["camera yard is back after 15.5 s"]


def all_below(kind: type[EdgedError]) -> set[type[EdgedError]]:
    return {kind}.union(*(all_below(below) for below in kind.__subclasses__()))


def test_every_fault_of_a_source_has_its_word() -> None:
    words = {kind: kind.reason for kind in all_below(SourceError) if issubclass(kind, SourceError)}
    own = [word for kind, word in words.items() if "reason" in vars(kind) and kind is not SourceError]
    assert len(own) == len(set(own)) >= 9
