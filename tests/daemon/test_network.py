"""A camera on the network, and the whole daemon."""

from __future__ import annotations

import signal
from collections.abc import Callable
from contextlib import closing

import pytest

from edged.testing.http_camera import HttpCamera
from edged.testing.rtsp import RtspCamera
from tests.daemon.conftest import Box

pytestmark = pytest.mark.slow

SECRET = "s3cr3t"


@pytest.mark.parametrize("make", [RtspCamera, HttpCamera])
def test_a_camera_that_hangs_up_is_one_event_and_one_recovery_and_no_password_is_told(
    box: Box, make: Callable[[], RtspCamera | HttpCamera]
) -> None:
    with closing(make()) as camera:
        box.configure(f'source = "{camera.url(f"admin:{SECRET}")}"\nframe_timeout_s = 60')
        process = box.start("run", "-c", box.config)
        box.wait_for(process, lambda status: status["cameras"][0]["frames"] >= 1)
        camera.hang_up()
        box.wait_for(process, lambda status: status["cameras"][0]["reopened"] == 1)
        status = box.wait_for(process, lambda status: status["cameras"][0]["state"] == "running")
        process.send_signal(signal.SIGTERM)
        ended = box.end_of(process)
    events = box.events()
    assert ended.code == 0
    assert [(event["kind"], event["reason"]) for event in events] == [
        ("camera_lost", "network"),
        ("camera_back", "network"),
    ]
    assert "admin:***@127.0.0.1" in events[0]["detail"]
    assert SECRET not in "\n".join([ended.out, ended.err, str(status), str(events)])
    assert not [path for path in box.data.iterdir() if path.is_file() and SECRET.encode() in path.read_bytes()]
