"""What systemd is told, over a real socket and by the fake."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edged.health.notify import Nobody, SystemdSocket, find_notifier
from edged.ports import Notifier
from edged.testing.health import RecordingNotifier

Heard = Callable[[], list[str]]


class Listener:
    """Stands in for systemd: a datagram socket in a folder."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.setblocking(False)

    def heard(self) -> list[str]:
        lines = []
        while True:
            try:
                lines.append(self.socket.recv(4096).decode())
            except BlockingIOError:
                return lines


@pytest.fixture
def listener(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Listener]:
    made = Listener(tmp_path / "notify")
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    yield made
    made.socket.close()


@pytest.fixture(params=["systemd", "recording"])
def told(request: pytest.FixtureRequest, listener: Listener) -> Iterator[tuple[Notifier, Heard]]:
    """A notifier, and what was heard of it."""
    if request.param == "systemd":
        systemd = SystemdSocket()
        yield systemd, listener.heard
        systemd.close()
    else:
        recording = RecordingNotifier()
        yield recording, lambda: list(recording.lines)


def test_each_word_arrives_as_systemd_spells_it(told: tuple[Notifier, Heard]) -> None:
    notifier, heard = told
    notifier.extend_timeout(90.5)
    notifier.ready()
    notifier.status("2 cameras")
    notifier.alive()
    notifier.stopping()
    assert heard() == ["EXTEND_TIMEOUT_USEC=90500000", "READY=1", "STATUS=2 cameras", "WATCHDOG=1", "STOPPING=1"]


def test_a_status_is_one_line_of_plain_letters(listener: Listener) -> None:
    notifier = SystemdSocket()
    notifier.status("54 °C\nno camera „Höfchen“")
    notifier.close()
    assert listener.heard() == ["STATUS=54 C no camera ?H?fchen?"]


@pytest.mark.parametrize(
    ("microseconds", "pid", "watchdog_s"),
    [("30000000", str(os.getpid()), 30.0), ("30000000", None, 30.0), ("30000000", "1", None), (None, None, None)],
)
def test_the_watchdog_is_believed_when_it_is_meant_for_this_process(
    listener: Listener, microseconds: str | None, pid: str | None, watchdog_s: float | None
) -> None:
    variables = {"NOTIFY_SOCKET": os.environ["NOTIFY_SOCKET"], "WATCHDOG_USEC": microseconds, "WATCHDOG_PID": pid}
    found = find_notifier({name: value for name, value in variables.items() if value is not None})
    assert isinstance(found, SystemdSocket)
    assert found.watchdog_s == watchdog_s
    found.close()


# The package leaves a socket that it could not connect to the collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("address", [None, "/nowhere/notify"])
def test_without_systemd_there_is_nobody_to_tell(monkeypatch: pytest.MonkeyPatch, address: str | None) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    if address is not None:
        monkeypatch.setenv("NOTIFY_SOCKET", address)
    found = find_notifier()
    assert isinstance(found, Nobody)
    found.alive()


def test_a_systemd_that_hangs_does_not_hang_edged_and_is_told_once(
    listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    notifier = SystemdSocket(send_within_s=0.01)
    for _ in range(5000):  # nobody reads: the socket's queue is full long before
        notifier.alive()
        if caplog.records:
            break
    notifier.alive()
    notifier.close()
    assert [record.message for record in caplog.records] == [
        "systemd does not hear what edged tells it (WATCHDOG): timed out"
    ]
