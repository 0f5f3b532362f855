"""Sound workers are never late, whatever befalls them: what a judge sees who looks all the time."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from edged.domain.events import EventKind, MachineEvent
from edged.domain.pulse import Pulse
from edged.errors import SourceLost, SourceUnreachable
from edged.health.liveness import Judge
from edged.pipeline.mailbox import Mailbox
from edged.store.events import EventStore
from edged.testing.clock import FakeClock
from edged.testing.source import SyntheticSource
from tests.pipeline.parts import Wrapped, feeder_of


class JudgedClock(FakeClock):
    """A clock by which each wait is looked at, in steps of a second, until an hour is over."""

    def __init__(self, stop: threading.Event) -> None:
        super().__init__()
        self.judge = Judge(clock=self)
        self.pulses: list[Pulse] = []
        self.verdicts: set[str | None] = set()
        self.tasks: set[str] = set()
        self._stop = stop

    def wait(self, stop: threading.Event, timeout_s: float) -> bool:
        while timeout_s > 0:
            self.advance(min(timeout_s, 1.0))
            timeout_s -= 1.0
            self.look()
        if self.monotonic() > 4600.0:
            self._stop.set()
        return stop.is_set()

    def look(self) -> None:
        self.verdicts.add(self.judge.look(self.pulses))
        self.tasks.update(pulse.task.what for pulse in self.pulses)


@pytest.fixture
def stop() -> threading.Event:
    return threading.Event()


def test_a_camera_that_is_lost_for_an_hour_is_never_late(stop: threading.Event) -> None:
    clock = JudgedClock(stop)
    source = Wrapped(SyntheticSource(clock=clock, frames=None))
    source.fail_always = SourceLost("unplugged", hint="Plug it in.")
    feeder = feeder_of(source, Mailbox(threading.Condition()), clock, reopen=True)
    clock.pulses = [feeder.pulse]
    feeder.run(stop)
    assert clock.verdicts == {None}
    assert clock.tasks == {"waiting until its camera is worth another try"}
    assert feeder.pulse.task.what == "done"


def test_a_camera_whose_name_nobody_can_look_up_for_an_hour_is_never_late(stop: threading.Event) -> None:
    clock = JudgedClock(stop)

    class Nameless(SyntheticSource):
        def open(self) -> None:
            clock.wait(stop, 90.0)  # as long as the machine's resolver may take
            raise SourceUnreachable("nobody knows the name", hint="See to the network.")

    feeder = feeder_of(Nameless(clock=clock), Mailbox(threading.Condition()), clock, reopen=True)
    clock.pulses = [feeder.pulse]
    feeder.run(stop)
    assert clock.verdicts == {None}
    assert "opening its camera" in clock.tasks


def test_a_camera_that_gives_nothing_for_an_hour_is_never_late(stop: threading.Event) -> None:
    clock = JudgedClock(stop)

    class Silent(SyntheticSource):
        def close(self) -> None:
            super().close()
            self.stall_at = 0

    feeder = feeder_of(Silent(clock=clock, stall_at=0), Mailbox(threading.Condition()), clock, reopen=True)
    clock.pulses = [feeder.pulse]
    feeder.run(stop)
    assert clock.verdicts == {None}
    assert "waiting for a frame" in clock.tasks


def test_a_store_that_cannot_be_written_for_an_hour_is_never_late(stop: threading.Event, tmp_path: Path) -> None:
    clock = JudgedClock(stop)
    (tmp_path / "a file in its place").touch()
    store = EventStore(tmp_path / "a file in its place", clock=clock, version="0.1.0")
    clock.pulses = [store.pulse]
    store.run(stop)
    assert store.status.error is not None
    assert clock.verdicts == {None}
    assert clock.tasks <= {"writing events", "opening the event log"}


def test_a_store_that_catches_up_on_a_slow_disk_is_never_late(
    stop: threading.Event, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waited while the disk was full is written picture by picture, and each is progress."""
    clock = JudgedClock(stop)
    store = EventStore(tmp_path, clock=clock, version="0.1.0")
    store.open()
    event = MachineEvent(EventKind.RESTARTED, at=1000.0, started_at=1000.0, reason="power", detail=None)
    for _ in range(300):
        store.put(event, b"a picture")
    really_sync = os.fsync

    def slow_sync(descriptor: int) -> None:
        clock.wait(stop, 5.0)
        really_sync(descriptor)

    monkeypatch.setattr(os, "fsync", slow_sync)
    clock.pulses = [store.pulse]
    store.flush()
    assert store.status.written == 300
    assert clock.monotonic() > 2500.0
    assert clock.verdicts == {None}
    store.close()
