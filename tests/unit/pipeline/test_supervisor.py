from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from edged.clock import SystemClock
from edged.domain.pulse import Pulse
from edged.errors import DaemonError, FrameCorrupt, SourceLost
from edged.pipeline.supervisor import Loop, Supervisor


def wait_for_stop(stop: threading.Event) -> None:
    assert stop.wait(10)


def no_tick() -> None:
    return None


def recorded(name: str, order: list[str], loop: Loop = wait_for_stop) -> Loop:
    def run(stop: threading.Event) -> None:
        order.append(f"start {name}")
        loop(stop)
        order.append(f"stop {name}")

    return run


def test_the_stop_order_is_the_reverse_of_the_start_order() -> None:
    order: list[str] = []
    supervisor = Supervisor(
        [{"store": recorded("store", order)}, {"detect": recorded("detect", order)}, {"read": recorded("read", order)}],
        clock=SystemClock(),
    )

    supervisor.run(supervisor.request_stop)

    assert order[3:] == ["stop read", "stop detect", "stop store"]


def test_it_ends_by_itself_when_all_but_the_first_stage_have_done_their_work() -> None:
    order: list[str] = []
    supervisor = Supervisor(
        [{"store": recorded("store", order)}, {"detect": recorded("detect", order, lambda stop: None)}],
        clock=SystemClock(),
    )

    supervisor.run(no_tick)

    assert order[-1] == "stop store"


def test_a_worker_that_fails_ends_the_daemon_with_its_own_error() -> None:
    order: list[str] = []

    def fail(stop: threading.Event) -> None:
        raise SourceLost("the camera is gone", hint="Plug it in.")

    supervisor = Supervisor([{"store": recorded("store", order)}, {"read": fail}], clock=SystemClock())

    with pytest.raises(SourceLost):
        supervisor.run(no_tick)
    assert order == ["start store", "stop store"]


def test_only_a_source_may_fail_while_the_others_go_on() -> None:
    ticks: list[str] = []

    def fail(stop: threading.Event) -> None:
        raise FrameCorrupt("half of it is missing", hint="Check the cable.")

    def tick() -> None:
        ticks.append("the daemon goes on")
        if len(ticks) == 4:
            supervisor.request_stop()

    supervisor = Supervisor(
        [{"store": wait_for_stop}, {"detect": fail}, {"read": wait_for_stop}], clock=SystemClock(), tick_s=0.0
    )
    with pytest.raises(FrameCorrupt):
        supervisor.run(tick)
    assert len(ticks) < 4


def test_a_run_that_others_carried_on_until_it_was_stopped_ends_well_though_one_source_failed() -> None:
    def fail(stop: threading.Event) -> None:
        raise SourceLost("the file is gone", hint="Copy it again.")

    def tick() -> None:
        if not supervisor.stopped:
            supervisor.request_stop()

    def read_until_stop(stop: threading.Event) -> None:
        stop.wait(10)

    supervisor = Supervisor(
        [{"store": wait_for_stop}, {"file": fail, "camera": read_until_stop}], clock=SystemClock(), tick_s=0.0
    )
    supervisor.run(tick)


def test_a_foreign_exception_in_a_worker_is_told_as_a_bug_with_its_cause() -> None:
    def fail(stop: threading.Event) -> None:
        raise ZeroDivisionError("0 / 0")

    supervisor = Supervisor([{"store": wait_for_stop}, {"detect": fail}], clock=SystemClock())

    with pytest.raises(DaemonError, match="detect thread failed: ZeroDivisionError") as caught:
        supervisor.run(no_tick)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_a_first_stage_that_ends_though_nobody_asked_ends_the_daemon() -> None:
    supervisor = Supervisor([{"store": lambda stop: None}, {"read": wait_for_stop}], clock=SystemClock())

    with pytest.raises(DaemonError, match="nobody asked for it: store"):
        supervisor.run(no_tick)


def test_an_error_in_the_tick_still_stops_every_worker() -> None:
    order: list[str] = []
    supervisor = Supervisor([{"store": recorded("store", order)}, {"read": wait_for_stop}], clock=SystemClock())

    def tick() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        supervisor.run(tick)
    assert order[-1] == "stop store"


class InterruptedClock(SystemClock):
    """Has a signal arrive at the worst moment: while the main thread holds the lock of the event it waits on."""

    def __init__(self, interrupt: Callable[[], None]) -> None:
        super().__init__()
        self._interrupt = interrupt

    def wait(self, stop: threading.Event, timeout_s: float) -> bool:
        with stop._cond:  # type: ignore[attr-defined]
            self._interrupt()
        return super().wait(stop, timeout_s)


def test_a_signal_that_interrupts_the_supervisor_inside_its_wait_does_not_hang_it() -> None:
    order: list[str] = []
    supervisor = Supervisor(
        [{"store": recorded("store", order)}, {"detect": recorded("detect", order)}],
        clock=InterruptedClock(lambda: supervisor.request_stop()),
    )

    supervisor.run(no_tick)

    assert order[-2:] == ["stop detect", "stop store"]


def test_workers_that_hang_share_one_deadline_and_are_named() -> None:
    clock, release = SystemClock(), threading.Event()

    def hang(stop: threading.Event) -> None:
        release.wait(10)

    supervisor = Supervisor(
        [{"store": wait_for_stop}, {f"read-{number}": hang for number in range(10)}], clock=clock, stop_within_s=0.2
    )
    started_at = clock.monotonic()
    with pytest.raises(DaemonError, match=r"did not stop within 0\.2 s: read-0, read-1,"):
        supervisor.run(supervisor.request_stop)
    took_s = clock.monotonic() - started_at
    stopped = supervisor.stopped
    release.set()

    assert took_s < 1.0  # one after another they would take 2 s
    assert not stopped


def test_what_is_stopped_last_has_as_long_as_it_makes_progress() -> None:
    order: list[str] = []
    pulse, batch_done = Pulse("store"), threading.Event()
    batches = 5

    def drain(stop: threading.Event) -> None:
        stop.wait(10)
        for _ in range(batches):
            pulse.begin("writing events")
            assert batch_done.wait(10)  # longer than one round of the supervisor's patience
            batch_done.clear()

    def told() -> None:
        order.append("told")
        batch_done.set()

    supervisor = Supervisor(
        [{"store": recorded("store", order, drain)}, {"read": wait_for_stop}],
        clock=SystemClock(),
        stop_within_s=0.1,
        pulses=lambda: [pulse],
    )
    supervisor.run(supervisor.request_stop, on_stop=told)

    assert order.count("told") > batches / 2
    assert order[-1] == "stop store"


def test_what_is_stopped_last_is_given_up_once_it_makes_no_progress() -> None:
    pulse, release = Pulse("store"), threading.Event()

    def hang(stop: threading.Event) -> None:
        stop.wait(10)
        pulse.begin("writing events")
        release.wait(10)

    supervisor = Supervisor(
        [{"store": hang}, {"read": wait_for_stop}], clock=SystemClock(), stop_within_s=0.1, pulses=lambda: [pulse]
    )
    with pytest.raises(DaemonError, match=r"did not stop within 0\.1 s: store"):
        supervisor.run(supervisor.request_stop)
    release.set()


def test_it_has_stopped_when_every_worker_has_ended() -> None:
    supervisor = Supervisor([{"store": wait_for_stop}, {"read": lambda stop: None}], clock=SystemClock())
    supervisor.run(no_tick)
    assert supervisor.stopped


class Scripted:
    """A change that is asked for at the first tick; it does what it is told."""

    def __init__(
        self, *, prepare: Callable[[], None] = no_tick, apply: Callable[[Supervisor], None] = lambda supervisor: None
    ) -> None:
        self.threads: list[str] = []
        self.supervisor: Supervisor | None = None
        self._prepare = prepare
        self._apply = apply

    def prepare(self) -> None:
        self.threads.append(threading.current_thread().name)
        self._prepare()

    def apply(self) -> None:
        self.threads.append(threading.current_thread().name)
        assert self.supervisor is not None
        self._apply(self.supervisor)


def run_with(change: Scripted, supervisor: Supervisor, *, stop_when: Callable[[], bool]) -> None:
    """Ask for the change once, and for a stop when a tick finds that it is time."""
    change.supervisor = supervisor
    supervisor.request_change()

    def tick() -> None:
        if stop_when():
            supervisor.request_stop()

    supervisor.run(tick, change=change)


def test_what_takes_long_in_a_change_is_done_beside_the_ticks_and_the_rest_between_two_of_them() -> None:
    ticked, ticks = threading.Event(), list[int]()

    def wait_for_a_tick() -> None:
        assert ticked.wait(10)

    def is_done() -> bool:
        ticks.append(len(change.threads))
        if change.threads:
            ticked.set()
        return len(change.threads) == 2

    change = Scripted(prepare=wait_for_a_tick)
    supervisor = Supervisor(
        [{"store": wait_for_stop}, {"read": wait_for_stop}], clock=SystemClock(), tick_s=0.0, stop_within_s=10.0
    )
    run_with(change, supervisor, stop_when=is_done)

    assert change.threads == ["reload", threading.current_thread().name]
    assert 1 in ticks  # while it was being prepared


def test_a_change_takes_workers_away_and_adds_others_which_are_stopped_in_their_turn() -> None:
    order: list[str] = []

    def exchange(supervisor: Supervisor) -> None:
        assert supervisor.remove(["read"]) == []
        supervisor.add("new", recorded("new", order))

    supervisor = Supervisor(
        [{"store": recorded("store", order)}, {"detect": recorded("detect", order)}, {"read": recorded("read", order)}],
        clock=SystemClock(),
        tick_s=0.0,
    )
    run_with(Scripted(apply=exchange), supervisor, stop_when=lambda: "start new" in order)

    assert order[3:] == ["stop read", "start new", "stop new", "stop detect", "stop store"]
    assert supervisor.stopped


def test_a_worker_that_hangs_is_named_when_it_is_to_go_and_again_at_the_end() -> None:
    release, left = threading.Event(), list[list[str]]()

    def hang(stop: threading.Event) -> None:
        release.wait(10)

    supervisor = Supervisor(
        [{"store": wait_for_stop}, {"read": hang, "good": wait_for_stop}],
        clock=SystemClock(),
        tick_s=0.0,
        stop_within_s=0.1,
    )
    change = Scripted(apply=lambda supervisor: left.append(supervisor.remove(["read", "good"])))
    with pytest.raises(DaemonError, match=r"did not stop within 0\.1 s: read"):
        run_with(change, supervisor, stop_when=lambda: bool(left))
    release.set()

    assert left == [["read"]]


def test_a_stop_does_not_wait_for_a_change_that_takes_minutes_to_prepare() -> None:
    release = threading.Event()

    def prepare() -> None:
        release.wait(10)

    change = Scripted(prepare=prepare)
    supervisor = Supervisor([{"store": wait_for_stop}, {"read": wait_for_stop}], clock=SystemClock(), tick_s=0.0)
    run_with(change, supervisor, stop_when=lambda: bool(change.threads))
    left_behind, stopped = supervisor.left_behind, supervisor.stopped
    release.set()

    assert left_behind
    assert stopped


def test_a_bug_in_a_change_is_told_as_one() -> None:
    def fail() -> None:
        raise ZeroDivisionError

    supervisor = Supervisor([{"store": wait_for_stop}, {"read": wait_for_stop}], clock=SystemClock(), tick_s=0.0)
    with pytest.raises(DaemonError, match="reload thread failed: ZeroDivisionError"):
        run_with(Scripted(prepare=fail), supervisor, stop_when=lambda: False)
