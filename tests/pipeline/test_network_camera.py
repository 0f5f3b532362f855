"""A camera on the network through the feeder: what its outages are called, and that no password is told."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing

import pytest

from edged.capture.network.source import NetworkSource
from edged.domain.events import EventKind
from edged.domain.frame import Frame
from edged.pipeline.mailbox import Mailbox
from edged.testing.events import MemorySink
from edged.testing.http_camera import HttpCamera
from tests.pipeline.parts import Recorder, feeder_of

SECRET = "s3cr3t"


class HangingUp(Mailbox):
    """Lets the camera hang up as soon as it gave a frame."""

    def __init__(self, camera: HttpCamera) -> None:
        super().__init__(threading.Condition())
        self._camera = camera

    def put(self, frame: Frame) -> None:
        self._camera.hang_up()


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: HttpCamera(login="admin:other"), "denied"),
        (lambda: HttpCamera(status=404), "not_found"),
        (lambda: HttpCamera(status=503), "busy"),
        (lambda: HttpCamera(content_type="text/html"), "unreadable"),
        (lambda: HttpCamera(), "network"),
    ],
)
def test_an_outage_is_one_event_with_its_reason_and_tells_no_password(
    make: Callable[[], HttpCamera], reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    clock, sink = Recorder(stop_after=3), MemorySink()
    with closing(make()) as camera:
        source = NetworkSource(camera.url(f"admin:{SECRET}"), clock=clock)
        feeder = feeder_of(source, HangingUp(camera), clock, reopen=True, events=sink)
        feeder.run(threading.Event())
    (lost,) = [event for event in sink.camera_events if event.kind is EventKind.CAMERA_LOST]
    assert lost.reason == reason
    assert "admin:***@127.0.0.1" in str(lost.detail)
    assert feeder.outages.begun == 1
    assert SECRET not in "\n".join([str(sink.events), feeder.state, caplog.text])
