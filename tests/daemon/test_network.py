"""A camera on the network, and the whole daemon."""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from edged.testing.http_camera import HttpCamera
from edged.testing.rtsp import RtspCamera
from tests.daemon.conftest import Box

pytestmark = pytest.mark.slow

SECRET = "s3cr3t"
_CLONE_NEWNET = 0x40000000  # linux/sched.h
_NOT_ALLOWED = 99


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


def without_a_network() -> None:
    """In the child: not even a loopback device is up."""
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNET) != 0:
        os._exit(_NOT_ALLOWED)


def test_where_the_network_never_comes_the_other_cameras_are_watched_and_a_stop_is_a_clean_end(
    box: Box, clip: Path
) -> None:
    if os.geteuid() != 0:
        pytest.skip("it takes root, to have no network")
    box.configure(f'source = "{clip}"', 'source = "rtsp://192.0.2.1/live"', 'source = "rtsp://camera.invalid/live"')
    process = box.start("run", "-c", box.config, preexec_fn=without_a_network)
    box.wait_for(
        process,
        lambda status: (
            status["cameras"][0]["state"] == "ended"
            and all(camera["state"].startswith("lost") for camera in status["cameras"][1:])
            and status["store"]["written"] >= 6
        ),
    )
    process.terminate()
    ended = box.end_of(process)

    assert ended.code == 0
    events = box.events()
    assert [event["kind"] for event in events if event["camera"] == "cam0"] == ["appeared", "left"] * 2
    lost = {event["camera"]: event["reason"] for event in events if event["kind"] == "camera_lost"}
    assert lost == {"cam1": "network", "cam2": "network"}
