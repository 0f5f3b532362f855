from __future__ import annotations

import threading

import pytest

from edged.clock import Clock
from edged.domain.frame import Frame
from edged.errors import SourceLost, SourceNotFound
from edged.pipeline.mailbox import Mailbox
from edged.testing.clock import FakeClock
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


def test_a_camera_that_cannot_be_opened_is_tried_again_after_growing_pauses() -> None:
    clock = Recorder(stop_after=9)
    source = a_camera(clock, failing_opens=100)
    feeder = feeder_of(source, a_mailbox(), clock, reopen=True)
    feeder.run(threading.Event())

    assert clock.waits == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    assert feeder.state == "lost: the synthetic camera is unplugged"
    assert source.stats.reopened == 9


def test_a_camera_that_is_lost_is_opened_again_and_the_pauses_begin_anew() -> None:
    clock, mailbox = Recorder(stop_after=99), a_mailbox()
    source = a_camera(clock, fail_at=5)
    feeder = feeder_of(source, mailbox, clock, reopen=True)
    source.failing_opens = 3
    feeder.run(threading.Event())

    assert clock.waits == [0.5, 1, 2, 0.5]  # three refusals, frames, one loss, frames
    assert feeder.state == "ended"
    assert source.stats.frames == 25
    assert source.stats.reopened == 4


def test_a_camera_that_falls_silent_is_opened_again_after_its_time_out() -> None:
    clock = FakeClock()
    source = a_camera(clock, stall_at=3)
    feeder = feeder_of(source, a_mailbox(), clock, reopen=True, frame_timeout_s=2.0)
    feeder.run(threading.Event())

    assert source.stats.reopened == 1
    assert clock.monotonic() == pytest.approx(1000 + 2.0 + 0.5)  # the time-out, and one pause


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
