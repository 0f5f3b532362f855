"""The kernel's own inotify, on a folder that stands for /dev."""

from __future__ import annotations

import os
import resource
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edged.capture.devices.hotplug import HotplugWatch
from edged.testing.clock import FakeClock
from edged.testing.sysfs import FakeMachine


class EventfulClock(FakeClock):
    """Does something in the middle of the next wait."""

    def __init__(self) -> None:
        super().__init__()
        self.then: Callable[[], object] = lambda: None
        self.waits = 0

    def wait(self, stop: threading.Event, timeout_s: float) -> bool:
        then, self.then = self.then, lambda: None
        then()
        self.waits += 1
        return super().wait(stop, timeout_s)


@pytest.fixture
def clock() -> EventfulClock:
    return EventfulClock()


@pytest.fixture
def watch(machine: FakeMachine, clock: EventfulClock) -> Iterator[HotplugWatch]:
    watch = HotplugWatch(machine.dev / "video0", clock=clock, dev=machine.dev)
    yield watch
    watch.close()


def waited(watch: HotplugWatch, clock: EventfulClock, stop: threading.Event | None = None) -> tuple[bool, float]:
    """Wait for half a minute: what it returned, and how long it took."""
    began_at = clock.monotonic()
    return watch.wait(30.0, stop or threading.Event()), clock.monotonic() - began_at


def test_nothing_happens_and_the_whole_time_passes_in_two_looks_a_second(
    watch: HotplugWatch, clock: EventfulClock
) -> None:
    assert waited(watch, clock) == (False, 30.0)
    assert clock.waits == 60


def test_a_short_wait_is_not_made_longer(watch: HotplugWatch, clock: EventfulClock) -> None:
    assert not watch.wait(0.2, threading.Event())
    assert clock.monotonic() == pytest.approx(1000.2)


def test_a_camera_that_is_plugged_in_ends_the_wait(
    machine: FakeMachine, watch: HotplugWatch, clock: EventfulClock
) -> None:
    clock.then = machine.plug_usb
    assert waited(watch, clock) == (True, 0.5)
    assert waited(watch, clock) == (False, 30.0), "it was told once"


def test_a_camera_that_is_unplugged_ends_the_wait(
    machine: FakeMachine, watch: HotplugWatch, clock: EventfulClock
) -> None:
    node = machine.plug_usb()
    clock.then = lambda: machine.unplug(node)
    assert waited(watch, clock) == (True, 0.5)


def test_a_camera_that_this_user_is_let_in_to_ends_the_wait(
    machine: FakeMachine, watch: HotplugWatch, clock: EventfulClock
) -> None:
    node = machine.plug_usb()
    clock.then = lambda: node.chmod(0o660)
    assert waited(watch, clock) == (True, 0.5)


def test_a_link_that_udev_puts_in_place_ends_the_wait(
    machine: FakeMachine, watch: HotplugWatch, clock: EventfulClock
) -> None:
    machine.plug_usb()
    folder = machine.dev / "v4l/by-id"

    def make_link() -> None:
        (folder / ".tmp").symlink_to("../../video0")
        (folder / ".tmp").rename(folder / "usb-new-video-index0")

    clock.then = make_link
    assert waited(watch, clock) == (True, 0.5)


def test_folders_that_udev_makes_during_the_wait_are_watched_from_then_on(
    machine: FakeMachine, watch: HotplugWatch, clock: EventfulClock
) -> None:
    clock.then = machine.plug_usb
    assert waited(watch, clock) == (True, 0.5)
    (machine.dev / "v4l/by-path/late").touch()
    assert waited(watch, clock) == (True, 0.5)


@pytest.mark.parametrize("name", ["front-door", "cameras/front-door"])
def test_a_link_by_a_rule_of_the_users_own_ends_the_wait(machine: FakeMachine, clock: EventfulClock, name: str) -> None:
    link = machine.dev / name
    link.parent.mkdir(exist_ok=True)
    draft = link.with_name(".#front-door")  # udev makes a link beside its place, and then puts it there
    draft.symlink_to("/dev/video0")
    watch = HotplugWatch(link, clock=clock, dev=machine.dev)

    def put_in_place() -> None:
        draft.rename(link)

    clock.then = put_in_place
    assert waited(watch, clock) == (True, 0.5)
    watch.close()


def test_other_devices_do_not_end_the_wait(machine: FakeMachine, watch: HotplugWatch, clock: EventfulClock) -> None:
    clock.then = (machine.dev / "sda1").touch
    assert waited(watch, clock) == (False, 30.0)


def test_what_happens_between_two_waits_is_not_missed(
    machine: FakeMachine, watch: HotplugWatch, clock: EventfulClock
) -> None:
    waited(watch, clock)
    machine.plug_usb()
    assert waited(watch, clock) == (True, 0.5)


def test_so_much_that_the_kernel_loses_count_counts_as_a_change(
    machine: FakeMachine, watch: HotplugWatch, clock: EventfulClock
) -> None:
    room = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    if room > 100_000:
        pytest.skip(f"this kernel notes {room} events before it loses count")
    one, other = machine.dev / "one", machine.dev / "other"
    one.touch()

    def overflow() -> None:
        for _ in range(room // 2 + 1):
            one.rename(other)
            other.rename(one)

    clock.then = overflow
    assert waited(watch, clock) == (True, 0.5)


def test_a_stop_ends_the_wait_at_once(watch: HotplugWatch, clock: EventfulClock) -> None:
    stop = threading.Event()
    clock.then = stop.set
    assert waited(watch, clock, stop) == (False, 0.0)


def open_files() -> set[str]:
    return {file.name for file in Path("/proc/self/fd").iterdir()}


def test_a_hundred_watches_leave_no_open_file(machine: FakeMachine, clock: EventfulClock) -> None:
    before = open_files()
    for _ in range(100):
        watch = HotplugWatch(machine.dev / "video0", clock=clock, dev=machine.dev)
        watch.wait(0.1, threading.Event())
        watch.close()
        watch.close()
    assert open_files() == before


@contextmanager
def no_more_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest_free = os.open("/dev/null", os.O_RDONLY)
    os.close(lowest_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_while_the_kernel_refuses_a_wait_is_only_a_wait(
    machine: FakeMachine, watch: HotplugWatch, clock: EventfulClock, caplog: pytest.LogCaptureFixture
) -> None:
    with no_more_files():
        assert waited(watch, clock) == (False, 30.0)
        assert waited(watch, clock) == (False, 30.0)
    assert len(caplog.records) == 1
    clock.then = machine.plug_usb
    assert waited(watch, clock) == (True, 0.5)
