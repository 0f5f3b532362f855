from __future__ import annotations

import math
import re
import subprocess
import sys
import threading

import pytest

from edged.domain.pulse import MOMENT_S, Pulse
from edged.errors import DaemonHung
from edged.health.liveness import Judge, Liveness
from edged.health.stacks import all_stacks
from edged.testing.clock import FakeClock
from edged.testing.health import RecordingNotifier


class Watched:
    """A daemon of two workers, looked at once a second."""

    def __init__(self, *, watchdog_s: float | None = 10.0) -> None:
        self.clock = FakeClock()
        self.detect, self.store = Pulse("detect"), Pulse("store")
        self.notifier = RecordingNotifier(watchdog_s=watchdog_s)
        self.liveness = Liveness(lambda: [self.detect, self.store], notifier=self.notifier, clock=self.clock)

    def go_on(self, seconds: int, *working: Pulse) -> None:
        for _ in range(seconds):
            for pulse in working:
                pulse.begin("at work")
            self.liveness.check()
            self.clock.advance(1.0)

    @property
    def pings(self) -> int:
        return self.notifier.lines.count("WATCHDOG=1")


def test_it_is_ready_once_and_pings_at_half_of_the_watchdogs_time() -> None:
    watched = Watched(watchdog_s=10.0)
    watched.go_on(20, watched.detect, watched.store)
    assert watched.notifier.lines == ["READY=1", *["WATCHDOG=1"] * 4]


def test_the_log_names_the_threads_by_the_numbers_that_a_crash_shows(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    watched = Watched()
    watched.go_on(2, watched.detect, watched.store)
    (line,) = (record.message for record in caplog.records if record.message.startswith("threads: "))
    assert f"MainThread 0x{threading.main_thread().ident:016x}" in line


def test_without_a_watchdog_nobody_is_pinged_again_and_again() -> None:
    watched = Watched(watchdog_s=None)
    watched.go_on(200, watched.detect, watched.store)
    assert watched.pings <= 1


@pytest.mark.parametrize(("watchdog_s", "every_s"), [(30.0, 1.0), (1.0, 0.5), (None, 1.0)])
def test_it_wants_to_look_often_enough_for_a_short_watchdog(watchdog_s: float | None, every_s: float) -> None:
    assert Watched(watchdog_s=watchdog_s).liveness.look_every_s == every_s


def test_one_hung_worker_ends_it_however_well_the_others_work(caplog: pytest.LogCaptureFixture) -> None:
    watched = Watched()
    watched.go_on(3, watched.detect, watched.store)
    watched.detect.begin("at a frame of yard")
    pings = watched.pings
    with pytest.raises(DaemonHung, match="The detect thread has been at a frame of yard for more than 20 s"):
        watched.go_on(1000, watched.store)
    assert watched.clock.monotonic() == pytest.approx(1003 + MOMENT_S + 1)
    assert watched.pings - pings <= MOMENT_S / 5 + 1
    assert "thread MainThread:" in caplog.text
    assert "test_one_hung_worker_ends_it" in caplog.text


def test_the_same_kind_of_work_again_is_progress() -> None:
    watched = Watched()
    watched.go_on(1000, watched.detect, watched.store)


def test_a_worker_that_is_done_is_never_late() -> None:
    watched = Watched()
    watched.detect.begin("done", within_s=math.inf)
    watched.go_on(1000, watched.store)


def test_long_work_has_the_time_that_it_asked_for() -> None:
    watched = Watched()
    watched.store.begin("opening the event log", within_s=600.0)
    watched.go_on(600, watched.detect)
    with pytest.raises(DaemonHung):
        watched.go_on(2, watched.detect)


def test_after_the_whole_process_stood_still_everybody_has_time_again() -> None:
    clock, pulse = FakeClock(), Pulse("detect")
    judge = Judge(clock=clock)
    for _ in range(3):
        assert judge.look([pulse]) is None
        clock.advance(3600.0)  # SIGSTOP, a machine that sleeps, a virtual one that is moved
    for _ in range(40):
        clock.advance(1.0)
        if judge.look([pulse]):
            return
    raise AssertionError("a hang went unnoticed after it")


def test_every_thread_is_in_the_stacks_by_its_name_and_where_it_is() -> None:
    stop, started = threading.Event(), threading.Event()

    def wait_here() -> None:
        started.set()
        stop.wait(30)

    thread = threading.Thread(target=wait_here, name="capture-yard")
    thread.start()
    assert started.wait(30)
    stacks = all_stacks()
    stop.set()
    thread.join()
    assert re.search(r"thread capture-yard:\n(.*\n)*.*in wait_here", stacks)


def test_a_main_thread_that_hangs_is_ended_from_outside_of_python_with_all_stacks() -> None:
    program = (
        "import threading\n"
        "from edged.health.stacks import LastResort\n"
        "LastResort(after_s=0.2).rearm()\n"
        "def hangs(): threading.Event().wait(60)\n"
        "hangs()\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=50, check=False)
    assert ended.returncode == 1
    assert "in hangs" in ended.stderr


def test_a_process_in_which_nobody_watches_any_more_is_not_ended() -> None:
    program = (
        "import time\n"
        "from edged.clock import SystemClock\n"
        "from edged.health.liveness import Liveness\n"
        "from edged.health.stacks import LastResort\n"
        "from edged.testing.health import RecordingNotifier\n"
        "resort = LastResort(after_s=0.2)\n"
        "liveness = Liveness(list, notifier=RecordingNotifier(), clock=SystemClock(), last_resort=resort)\n"
        "liveness.check()\n"
        "liveness.end()\n"
        "time.sleep(0.5)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=50, check=False)
    assert ended.returncode == 0, ended.stderr
