"""What whoever started the daemon hears of it: on a real notification socket, while parts of it hang."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from edged.clock import SystemClock
from tests.daemon.conftest import WAIT_S, Box
from tests.daemon.faulty import SPEED

pytestmark = pytest.mark.slow

WATCHDOG_S = 40.0 / SPEED  # so a hang of 20 s by the daemon's clock is noticed before


class Systemd:
    """Starts a daemon as systemd would and hears what it says."""

    def __init__(self, box: Box) -> None:
        self.box = box
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._address = box.folder / "notify"
        self._socket.bind(str(self._address))
        self._clock = SystemClock()

    def start(self, *, watchdog_s: float | None = WATCHDOG_S) -> subprocess.Popen[str]:
        watchdog = [] if watchdog_s is None else [f"WATCHDOG_USEC={round(SPEED * watchdog_s * 1e6)}"]
        variables = ["OMP_NUM_THREADS=1", f"NOTIFY_SOCKET={self._address}", *watchdog]
        root = Path(__file__).parents[2]
        return self.box.start_program(
            ["/usr/bin/env", "-C", str(root), *variables, sys.executable, "-m", "tests.daemon.faulty", self.box.config]
        )

    def hear(self, wanted: str, *, within_s: float = WAIT_S) -> list[str]:
        """Listen until a line begins so; return it and those before it."""
        heard: list[str] = []
        deadline = self._clock.monotonic() + within_s
        while not heard or not heard[-1].startswith(wanted):
            self._socket.settimeout(max(0.001, deadline - self._clock.monotonic()))
            try:
                heard.append(self._socket.recv(4096).decode())
            except TimeoutError:
                raise AssertionError(f"{wanted} was never heard: {heard}") from None
        return heard

    def forget(self) -> None:
        """Pass over what was said so far."""
        self._socket.settimeout(0.001)
        while True:
            try:
                self._socket.recv(4096)
            except TimeoutError:
                return

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def systemd(box: Box) -> Iterator[Systemd]:
    box.configure('source = "/dev/video0"', 'source = "/dev/video1"')
    made = Systemd(box)
    yield made
    made.close()


def test_systemd_hears_of_start_progress_and_end(systemd: Systemd) -> None:
    process = systemd.start()
    started = systemd.hear("READY=1")
    assert "EXTEND_TIMEOUT_USEC=600000000" in started  # however long the check of a large event log takes
    assert "WATCHDOG=1" not in started
    systemd.hear("WATCHDOG=1")
    assert systemd.hear("STATUS=2 cameras; ")
    for _ in range(3):
        systemd.hear("WATCHDOG=1")
    process.terminate()
    systemd.hear("STOPPING=1")
    assert systemd.box.end_of(process).code == 0


@pytest.mark.parametrize(
    ("lever", "told", "place"),
    [
        ("hang-backend", "the detect thread has been at a frame of cam", "in infer"),
        ("hang-disk", "the record thread has been waiting for the disk of the data folder", "in fsync"),
        ("hang-capture", "the capture-cam0 thread has been waiting for a frame", "in read"),
    ],
)
@pytest.mark.parametrize("watchdog_s", [WATCHDOG_S, None], ids=["watched", "by itself"])
def test_a_hung_part_is_named_shown_and_ended_with_or_without_a_watchdog(
    systemd: Systemd, lever: str, told: str, place: str, watchdog_s: float | None
) -> None:
    process = systemd.start(watchdog_s=watchdog_s)
    systemd.hear("STATUS=2 cameras; ")
    (systemd.box.folder / lever).touch()
    ended = systemd.box.end_of(process)
    assert ended.code == 9
    assert told in ended.err
    for thread in ("MainThread", "store", "detect", "capture-cam0", "capture-cam1"):
        assert f"thread {thread}:" in ended.err
    assert place in ended.err
    status = systemd.box.status()
    assert status is not None
    assert status["state"].startswith("hung: ")
    assert told[4:] in status["state"]
    record = json.loads((systemd.box.data / "run.json").read_text())
    assert record["state"] == ("running" if lever == "hang-disk" else status["state"])


def test_a_lost_camera_is_no_hang(systemd: Systemd) -> None:
    process = systemd.start()
    systemd.hear("WATCHDOG=1")
    (systemd.box.folder / "lose-camera").touch()
    systemd.box.wait_for(process, lambda status: bool(status["cameras"][0]["state"].startswith("lost")))
    systemd.forget()
    for _ in range(4):  # for twice the time in which a hang would have been its end
        systemd.hear("WATCHDOG=1")
    systemd.hear("STATUS=2 cameras, without pictures: cam0; ")
    process.terminate()
    assert systemd.box.end_of(process).code == 0
