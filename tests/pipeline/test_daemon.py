"""The daemon with real threads, and everything it touches in memory."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import ExitStack

import pytest

from edged.clock import Clock, SystemClock
from edged.domain.detections import Detections
from edged.domain.events import EventKind
from edged.domain.frame import Frame
from edged.domain.health import DaemonStatus, StoreStatus
from edged.errors import BackendError, DaemonError, DaemonHung, SourceLost, StoreNotWritable
from edged.health.liveness import Liveness
from edged.pipeline.daemon import Daemon
from edged.pipeline.dispatcher import Dispatcher, Lane
from edged.pipeline.latency import Latency
from edged.pipeline.mailbox import Mailbox
from edged.pipeline.reel import Reel
from edged.pipeline.reporter import CameraParts, Reporter
from edged.pipeline.supervisor import Supervisor
from edged.ports import Detector
from edged.scheduling.turns import Turns
from edged.testing.clock import FakeClock
from edged.testing.detector import ScriptedDetector
from edged.testing.events import MemorySink
from edged.testing.health import RecordingNotifier
from edged.testing.source import SyntheticSource
from tests.pipeline.parts import LABELS, Wrapped, feeder_of, passer_by, pipeline_of, sees_all


class House:
    """A daemon over some sources; `statuses` and `closed` tell what it did."""

    def __init__(
        self,
        cameras: Sequence[tuple[SyntheticSource | Wrapped, Detector, bool]],
        *,
        store: StoreStatus | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.sink = MemorySink()
        self.statuses: list[DaemonStatus] = []
        self.closed = False
        arrival, latency = threading.Condition(), Latency()
        fake = FakeClock()
        self.parts = []
        for source, detector, reopen in cameras:
            mailbox = Mailbox(arrival) if reopen else Reel(arrival)
            feeder = feeder_of(source, mailbox, fake, reopen=reopen, events=self.sink)
            self.parts.append(CameraParts(feeder, mailbox, pipeline_of(detector, self.sink, fake)))
        lanes = [Lane(parts.mailbox, parts.pipeline) for parts in self.parts]
        clock = clock or SystemClock()
        resources = ExitStack()
        resources.callback(self._close)
        dispatcher = Dispatcher(lanes, arrival, turns=Turns(), clock=fake)
        pulses = [dispatcher.pulse, *(parts.feeder.pulse for parts in self.parts)]
        self.notifier = RecordingNotifier()
        self.daemon = Daemon(
            run_id="run",
            supervisor=Supervisor(
                [
                    {"store": wait_for_stop},
                    {"detect": dispatcher.run},
                    {f"capture-{number}": parts.feeder.run for number, parts in enumerate(self.parts)},
                ],
                clock=clock,
                tick_s=0.05,
                stop_within_s=0.5,
            ),
            reporter=Reporter(
                clock=clock,
                run_id="run",
                model="small",
                backend="none",
                cameras=self.parts,
                latency=latency,
                store=lambda: store or StoreStatus(),
            ),
            liveness=Liveness(lambda: pulses, notifier=self.notifier, clock=clock),
            listeners=[self.statuses.append],
            resources=resources,
        )

    def _close(self) -> None:
        self.closed = True


def wait_for_stop(stop: threading.Event) -> None:
    assert stop.wait(60)


def a_recording(**faults: object) -> SyntheticSource:
    cast = [passer_by(1, first_seq=3, last_seq=40)]
    return SyntheticSource(clock=FakeClock(), objects=cast, frames=60, **faults)  # type: ignore[arg-type]


def nothing() -> ScriptedDetector:
    return ScriptedDetector(LABELS, [])


def test_recordings_are_worked_off_in_full_and_the_last_status_says_so() -> None:
    sources = [a_recording() for _ in range(3)]
    house = House([(source, sees_all(source, range(60)), False) for source in sources])
    last = house.daemon.run()

    assert [camera.frames for camera in last.cameras] == [60] * 3
    assert sorted(event.kind for event in house.sink.events) == [EventKind.APPEARED] * 3 + [EventKind.LEFT] * 3
    assert [status.state for status in house.statuses][-1] == last.state == "stopped"
    assert house.statuses[0].state == "running"
    assert house.closed


def test_a_recording_that_fails_is_the_daemons_error_at_its_end_and_the_others_are_worked_off_first() -> None:
    good, bad = a_recording(), a_recording(fail_at=5)
    house = House([(bad, nothing(), False), (good, sees_all(good, range(60)), False)])
    with pytest.raises(SourceLost):
        house.daemon.run()

    assert [camera.frames for camera in house.statuses[-1].cameras] == [5, 60]
    assert [event.kind for event in house.sink.events] == [EventKind.APPEARED, EventKind.LEFT]
    assert house.parts[0].feeder.state == "failed: the synthetic camera went away"
    assert house.statuses[-1].state == "failed: the synthetic camera went away"
    assert house.closed


def test_a_camera_that_never_comes_back_does_not_hold_up_the_others() -> None:
    lost, good = Wrapped(a_recording()), a_recording()
    lost.fail_always = SourceLost("unplugged", hint="Plug it in.")
    detector = sees_all(good, range(60))
    house = House([(lost, nothing(), True), (good, detector, False)])

    def stop_when_done(status: DaemonStatus) -> None:
        if status.cameras[1].frames == 60:
            house.daemon.request_stop()

    house.daemon.listen(stop_when_done)
    last = house.daemon.run()

    assert last.cameras[0].state == "lost: unplugged"
    assert last.cameras[0].reopened > 0
    assert last.cameras[0].events == 1
    assert [event.kind for event in house.sink.camera_events] == [EventKind.CAMERA_LOST]
    assert [event.kind for event in house.sink.track_events] == [EventKind.APPEARED, EventKind.LEFT]


def test_an_engine_that_fails_ends_the_daemon_with_its_error() -> None:
    source = a_recording()
    house = House([(source, ScriptedDetector(LABELS, [], fails_at=[10]), False)])
    with pytest.raises(BackendError):
        house.daemon.run()
    assert house.closed


def test_a_bug_in_a_detector_is_told_as_one() -> None:
    def broken(_: object) -> object:
        raise ZeroDivisionError

    house = House([(a_recording(), ScriptedDetector(LABELS, broken), False)])  # type: ignore[arg-type]
    with pytest.raises(DaemonError, match="detect thread failed: ZeroDivisionError"):
        house.daemon.run()
    assert house.statuses[-1].state.startswith("crashed: the detect thread failed: ZeroDivisionError")
    assert house.closed


def test_events_that_could_not_be_written_make_the_end_an_error() -> None:
    source = a_recording()
    house = House([(source, nothing(), False)], store=StoreStatus(waiting=2, error="the disk is full"))
    with pytest.raises(StoreNotWritable, match="2 events are lost: the disk is full"):
        house.daemon.run()
    assert house.closed


def test_events_that_were_dropped_make_the_end_an_error_too() -> None:
    house = House([(a_recording(), nothing(), False)], store=StoreStatus(dropped=3))
    with pytest.raises(StoreNotWritable, match="3 events are lost"):
        house.daemon.run()
    assert house.statuses[-1].state.startswith("failed: 3 events are lost")


class Held:
    """A detector that is stuck in its first inference until released."""

    def __init__(self) -> None:
        self.begun, self.released = threading.Event(), threading.Event()

    def __call__(self, frame: Frame) -> Detections:
        self.begun.set()
        self.released.wait(60)
        return Detections.empty()


def test_a_model_in_use_is_not_closed_and_a_hung_end_is_no_clean_one() -> None:
    held = Held()
    house = House([(a_recording(), ScriptedDetector(LABELS, held), False)])

    def stop_when_held(status: DaemonStatus) -> None:
        if held.begun.is_set():
            house.daemon.request_stop()

    house.daemon.listen(stop_when_held)
    with pytest.raises(DaemonError, match=r"did not stop within 0\.5 s: detect"):
        house.daemon.run()
    closed, state = house.closed, house.statuses[-1].state
    held.released.set()

    assert not closed
    assert state.startswith("failed: did not stop within")


class ImpatientClock(SystemClock):
    """Has a second Ctrl-C arrive once the supervisor, asked to stop, begins to."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = self._due = False

    def wait(self, stop: threading.Event, timeout_s: float) -> bool:
        self._due = self.asked
        return super().wait(stop, timeout_s)

    def monotonic(self) -> float:
        if self._due:
            self._due = self.asked = False
            raise KeyboardInterrupt
        return super().monotonic()


def test_a_second_ctrl_c_leaves_at_once_and_is_no_clean_end() -> None:
    held, clock = Held(), ImpatientClock()
    house = House([(a_recording(), ScriptedDetector(LABELS, held), False)], clock=clock)

    def stop_when_held(status: DaemonStatus) -> None:
        if held.begun.is_set() and status.state == "running":
            house.daemon.request_stop()
            clock.asked = True

    house.daemon.listen(stop_when_held)
    with pytest.raises(KeyboardInterrupt):
        house.daemon.run()
    closed, state = house.closed, house.statuses[-1].state
    held.released.set()

    assert not closed
    assert state == "failed: interrupted before the end"


class Hanging:
    """A detector that never comes back from its third frame, until the test is over."""

    labels = LABELS

    def __init__(self) -> None:
        self.release = threading.Event()
        self._calls = 0

    def detect(self, frame: Frame) -> Detections:
        self._calls += 1
        if self._calls == 3:
            self.release.wait(60)
        return Detections.empty()


class Hurried(SystemClock):
    """A clock by which a second is a hundredth of one."""

    def monotonic(self) -> float:
        return 100 * super().monotonic()

    def wait(self, stop: threading.Event, timeout_s: float) -> bool:
        return super().wait(stop, timeout_s / 100)


def test_a_hung_inference_is_the_daemons_end_and_systemd_hears_no_more_of_it() -> None:
    detector = Hanging()
    house = House([(a_recording(), detector, False)], clock=Hurried())
    with pytest.raises(DaemonHung, match="The detect thread has been at a frame of yard"):
        house.daemon.run()
    detector.release.set()
    assert house.notifier.lines[0] == "READY=1"
    assert "STOPPING=1" in house.notifier.lines
    assert "WATCHDOG=1" not in house.notifier.lines[house.notifier.lines.index("STOPPING=1") :]
    assert house.statuses[-1].state.startswith("hung: The detect thread has been")
    assert not house.closed  # its thread may still be using what would be closed


def test_systemd_is_told_of_the_start_and_of_the_end() -> None:
    source = a_recording()
    house = House([(source, sees_all(source, range(60)), False)])
    house.daemon.run()
    told = house.notifier.lines
    assert told[:3] == ["READY=1", "WATCHDOG=1", "STOPPING=1"]
    assert set(told[3:]) == {"EXTEND_TIMEOUT_USEC=30000000"}
