"""Network cameras for the contract of sources: each picture is sent when the test asks for it."""

from __future__ import annotations

from typing import Protocol

from edged.capture.network.source import NetworkSource
from edged.domain.frame import Frame
from edged.testing.clock import FakeClock
from edged.testing.http_camera import HttpCamera
from edged.testing.rtsp import RtspCamera


class Camera(Protocol):
    """A server with its lever."""

    def url(self) -> str: ...

    def send(self) -> None: ...

    def close(self) -> None: ...


class FedSource:
    """A network source and its camera, which sends a picture for each read; the first come by themselves."""

    def __init__(self, camera: Camera, clock: FakeClock) -> None:
        self._camera = camera
        self._source = NetworkSource(camera.url(), clock=clock)
        self._flows = False
        self.stats = self._source.stats

    def open(self) -> None:
        self._flows = False
        self._source.open()

    def read(self, timeout_s: float) -> Frame | None:
        if self._flows:
            self._camera.send()
        self._flows = True
        return self._source.read(timeout_s)

    def close(self) -> None:
        self._source.close()

    def frame_count(self) -> int | None:
        return self._source.frame_count()

    def tear_down(self) -> None:
        """Close the source, and switch the camera off."""
        self._source.close()
        self._camera.close()


def rtsp(clock: FakeClock) -> FedSource:
    """H.264 over RTSP."""
    return FedSource(RtspCamera(), clock)


def mjpeg(clock: FakeClock) -> FedSource:
    """JPEG after JPEG over HTTP."""
    return FedSource(HttpCamera(), clock)
