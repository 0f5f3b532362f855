from __future__ import annotations

import threading

import pytest

from edged.clock import Clock
from edged.domain.frame import Frame
from edged.domain.pulse import Task
from edged.errors import SourceBusy, SourceDenied, SourceError, SourceLost, SourceNotFound, SourceUnreachable
from edged.pipeline.mailbox import Mailbox
from edged.testing.clock import FakeClock
from edged.testing.events import MemorySink
from edged.testing.source import SyntheticSource
from tests.pipeline.parts import Recorder, Wrapped, feeder_of


def a_camera(clock: Clock, **faults: object) -> SyntheticSource:
    return SyntheticSource(clock=clock, width_px=32, height_px=24, objects=0, frames=20, **faults)  # type: ignore[arg-type]


def a_mailbox() -> Mailbox:
    return Mailbox(threading.Condition())


def test_a_file_is_fed_to_its_end_and_the_mailbox_closed() -> None:
    clock, mailbox = FakeClock(), a_mailbox()
    feeder = feeder_of(a_camera(clock), mailbox, clock, reopen=False)
    feeder.run(threading.Event())

    assert feeder.state == "ended"
    assert mailbox.dropped == 19
    last = mailbox.take()
    assert last is not None
    assert last.seq == 19
    assert mailbox.ended


def test_a_camera_that_cannot_be_opened_is_tried_again_every_two_seconds_and_was_lost_once() -> None:
    clock = Recorder(stop_after=9)
    source = a_camera(clock, failing_opens=100)
    feeder = feeder_of(source, a_mailbox(), clock, reopen=True)
    feeder.run(threading.Event())

    assert clock.waits == [0.5, 1, 2, 2, 2, 2, 2, 2, 2]
    assert feeder.state == "lost: the synthetic camera is unplugged"
    assert feeder.outages.begun == 1


def test_a_camera_that_is_lost_is_opened_again_and_the_pauses_begin_anew() -> None:
    clock, mailbox = Recorder(stop_after=99), a_mailbox()
    source = a_camera(clock, fail_at=5)
    feeder = feeder_of(source, mailbox, clock, reopen=True)
    source.failing_opens = 3
    feeder.run(threading.Event())

    assert clock.waits == [0.5, 1, 2, 0.5]  # three refusals, frames, one loss, frames
    assert feeder.state == "ended"
    assert source.stats.frames == 25
    assert feeder.outages.begun == 1  # it had not been back for 3 s


def test_a_camera_that_falls_silent_is_opened_again_after_its_time_out() -> None:
    clock = FakeClock()
    source = a_camera(clock, stall_at=3)
    feeder = feeder_of(source, a_mailbox(), clock, reopen=True, frame_timeout_s=1.7)
    feeder.run(threading.Event())

    assert feeder.outages.begun == 1
    assert clock.monotonic() == pytest.approx(1000 + 1.7 + 0.5)  # the time-out to the point, and one pause


def test_a_camera_that_was_only_just_opened_has_five_seconds_for_its_first_frame() -> None:
    clock = FakeClock()
    source = a_camera(clock, stall_at=0)
    feeder = feeder_of(source, a_mailbox(), clock, reopen=True, frame_timeout_s=1.5)
    feeder.run(threading.Event())

    assert feeder.outages.begun == 1
    assert clock.monotonic() == pytest.approx(1000 + 5.0 + 0.5)


@pytest.mark.parametrize(("interval_s", "stalled_after_s"), [(None, 1.5), (0.04, 1.5), (2.0, 4.0), (3600.0, 20.0)])
def test_a_camera_that_says_that_it_is_slow_is_given_the_time_of_two_frames(
    interval_s: float | None, stalled_after_s: float
) -> None:
    clock = FakeClock()
    source = a_camera(clock, stall_at=3)
    source.stats.interval_s = interval_s
    feeder = feeder_of(source, a_mailbox(), clock, reopen=True, frame_timeout_s=1.5)
    feeder.run(threading.Event())

    assert feeder.silent_after_s() == stalled_after_s
    assert clock.monotonic() == pytest.approx(1000 + stalled_after_s + 0.5)


def test_a_camera_that_is_there_is_tried_every_two_seconds_since_nothing_tells_when_it_can_be_had() -> None:
    clock = Recorder(stop_after=6)
    source = Wrapped(a_camera(clock))
    source.fail_always = SourceBusy("another program uses it", hint="End that program.")
    feeder_of(source, a_mailbox(), clock, reopen=True).run(threading.Event())

    assert clock.waits == [0.5, 1, 2, 2, 2, 2]


def test_a_device_that_comes_ends_the_pause() -> None:
    clock, pauses = FakeClock(), list[float]()

    def come_at_once(timeout_s: float, stop: threading.Event) -> None:
        pauses.append(timeout_s)

    source = a_camera(clock, failing_opens=4)
    feeder_of(source, a_mailbox(), clock, reopen=True, wait_for_device=come_at_once).run(threading.Event())

    assert pauses == [0.5, 1, 2, 2]
    assert clock.monotonic() == 1000.0
    assert source.stats.frames == 20


class Hanging(SyntheticSource):
    """A camera that opens and gives nothing, or a few frames, until it is reset."""

    def __init__(self, clock: Clock, *, resets_needed: int = 1, hangs_after: int = 0) -> None:
        super().__init__(clock=clock, width_px=32, height_px=24, objects=0, frames=20, stall_at=5)
        self.resets_needed = resets_needed
        self.hangs_after = hangs_after
        self.opened = self.resets = 0

    def open(self) -> None:
        super().open()
        self.opened += 1
        if self.opened > 1:
            self.stall_at = self.hangs_after if self.resets < self.resets_needed else None

    def reset(self) -> None:
        self.resets += 1


@pytest.mark.parametrize("hangs_after", [0, 1])
def test_a_camera_that_hangs_is_reset_after_two_reopenings_in_vain(hangs_after: int) -> None:
    clock = FakeClock()
    source = Hanging(clock, hangs_after=hangs_after)
    feeder_of(source, a_mailbox(), clock, reopen=True, reset=source.reset).run(threading.Event())

    assert (source.resets, source.opened) == (1, 4)
    assert source.stats.frames == 5 + 2 * hangs_after + 20


def test_a_camera_that_hangs_on_is_reset_once_an_outage_and_a_reset_that_is_refused_is_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = FakeClock()
    source = Hanging(clock, resets_needed=99)

    def refuse() -> None:
        source.reset()
        raise SourceDenied("this user may not reset it", hint="Let it.")

    def wait_until_ten(timeout_s: float, stop: threading.Event) -> bool:
        if source.opened == 10:
            stop.set()
        return clock.wait(stop, timeout_s)

    feeder = feeder_of(source, a_mailbox(), clock, reopen=True, wait_for_device=wait_until_ten, reset=refuse)
    feeder.run(threading.Event())

    assert (source.resets, source.opened) == (1, 10)
    assert "this user may not reset it" in caplog.text


def test_a_reset_may_take_longer_than_anything_else_that_is_done_at_once() -> None:
    clock, tasks = FakeClock(), list[Task]()
    source = Hanging(clock)

    def reset() -> None:
        tasks.append(feeder.pulse.task)
        source.reset()

    feeder = feeder_of(source, a_mailbox(), clock, reopen=True, reset=reset)
    feeder.run(threading.Event())

    assert [(task.what, task.within_s) for task in tasks] == [("resetting its camera", 30.0)]


@pytest.mark.parametrize("error", [SourceLost, SourceNotFound, SourceBusy, SourceDenied])
def test_a_camera_that_does_not_hang_is_never_reset(error: type[SourceError]) -> None:
    clock, resets = Recorder(stop_after=20), list[None]()
    source = Wrapped(a_camera(clock))
    source.fail_always = error("not now", hint="Wait.")
    feeder_of(source, a_mailbox(), clock, reopen=True, reset=lambda: resets.append(None)).run(threading.Event())

    assert resets == []


def test_a_camera_is_let_go_while_it_waits_to_be_opened_again() -> None:
    held: list[bool] = []

    class Watching(FakeClock):
        def wait(self, stop: threading.Event, timeout_s: float) -> bool:
            held.append(source.is_open)
            return super().wait(stop, timeout_s)

    clock = Watching()
    source = Wrapped(a_camera(clock, fail_at=5))
    feeder_of(source, a_mailbox(), clock, reopen=True).run(threading.Event())

    assert held == [False]
    assert not source.is_open


def test_a_file_that_fails_is_an_error_and_is_closed() -> None:
    clock, mailbox = FakeClock(), a_mailbox()
    source = Wrapped(a_camera(clock, fail_at=5))
    feeder = feeder_of(source, mailbox, clock, reopen=False)
    with pytest.raises(SourceLost):
        feeder.run(threading.Event())

    assert feeder.state == "failed: the synthetic camera went away"
    assert not source.is_open
    mailbox.take()
    assert mailbox.ended


def test_a_file_that_is_not_there_is_an_error() -> None:
    clock = FakeClock()
    with pytest.raises(SourceNotFound):
        feeder_of(a_camera(clock, failing_opens=1), a_mailbox(), clock, reopen=False).run(threading.Event())


def test_pictures_that_come_seldom_are_no_stalled_camera() -> None:
    clock = FakeClock()
    source = SyntheticSource(clock=clock, objects=0, width_px=32, height_px=24, frames=3, fps=1 / 60, in_real_time=True)
    feeder = feeder_of(source, a_mailbox(), clock, reopen=False, frame_timeout_s=5.0)
    feeder.run(threading.Event())

    assert feeder.state == "ended"
    assert source.stats.frames == 3


def test_a_stop_ends_it_at_once_and_closes_the_camera() -> None:
    clock, mailbox, stop = FakeClock(), a_mailbox(), threading.Event()

    def stop_at_seven(frame: Frame | None) -> None:
        if frame is not None and frame.seq == 7:
            stop.set()

    source = Wrapped(a_camera(clock), on_read=stop_at_seven)
    feeder_of(source, mailbox, clock, reopen=True).run(stop)

    assert source.stats.frames == 8
    assert not source.is_open
    mailbox.take()
    assert mailbox.ended


def test_a_camera_that_fails_while_it_is_being_stopped_is_no_outage() -> None:
    clock, stop, sink = FakeClock(), threading.Event(), MemorySink()

    class StoppedWhileConnecting(SyntheticSource):
        def open(self) -> None:
            stop.set()
            raise SourceUnreachable("it does not answer in time", hint="Check the network.")

    feeder = feeder_of(StoppedWhileConnecting(clock=clock), a_mailbox(), clock, reopen=True, events=sink)
    feeder.run(stop)
    assert sink.events == []
    assert feeder.state == "starting"
