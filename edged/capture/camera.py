"""Frames from a camera at /dev/videoN, the simple way: through OpenCV."""

from __future__ import annotations

import fcntl
import os
import stat
import struct
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import cv2

from edged.capture.os_errors import source_error
from edged.clock import Clock
from edged.domain.frame import BgrImage, Frame
from edged.domain.health import SourceStats
from edged.errors import SourceBusy, SourceLost, SourceUnreadable

# linux/videodev2.h
_VIDIOC_QUERYCAP = 0x80685600
_CAPABILITY_BYTES = 104
_DEVICE_CAPS_AT = 88
_CAP_VIDEO_CAPTURE = 0x1

_RETRY_S = 0.05
_DAMAGED_MAX = 30  # so many damaged frames on end are no bad luck: the camera is opened again


class Capture(Protocol):
    """The part of cv2.VideoCapture that is used here."""

    def isOpened(self) -> bool: ...  # noqa: N802

    def read(self) -> tuple[bool, Any]: ...

    def release(self) -> None: ...


def _connect(path: Path) -> Capture:
    # OpenCV waits 10 s for a frame by default, too long for a stop to be heard; it takes whole seconds only
    os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "1")
    return cv2.VideoCapture(str(path), cv2.CAP_V4L2)


def check_camera_node(path: Path) -> None:
    """Ask the kernel whether `path` is a camera that this user may open. Raises SourceError."""
    try:
        if not stat.S_ISCHR(path.stat().st_mode):
            raise SourceUnreadable(f"{path} is not a device", hint="Cameras are /dev/video0, /dev/video1 and so on.")
        node = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    except OSError as error:
        raise source_error(error, str(path)) from error
    try:
        answer = fcntl.ioctl(node, _VIDIOC_QUERYCAP, bytes(_CAPABILITY_BYTES))
    except OSError as error:
        raise SourceUnreadable(f"{path} is a device, but not a camera", hint="Try another /dev/videoN.") from error
    finally:
        os.close(node)
    if not struct.unpack_from("I", answer, _DEVICE_CAPS_AT)[0] & _CAP_VIDEO_CAPTURE:
        raise SourceUnreadable(
            f"{path} is a video device that takes no pictures",
            hint="One camera often has several nodes: try the next lower /dev/videoN.",
        )


class CameraSource:
    """Plays a V4L2 camera in the size and rate that its driver offers by itself.

    `captured_at` is when read() got the frame. A read lasts up to one second longer than its time-out.
    """

    def __init__(
        self,
        path: Path,
        *,
        clock: Clock,
        check_node: Callable[[Path], None] = check_camera_node,
        connect: Callable[[Path], Capture] = _connect,
    ) -> None:
        """`check_node` and `connect` are the seam where a test puts its own device."""
        self.stats = SourceStats()
        self._path = path
        self._clock = clock
        self._check_node = check_node
        self._connect = connect
        self._capture: Capture | None = None
        self._seq = 0
        self._damaged = 0  # on end
        self._never = threading.Event()

    def open(self) -> None:
        """Start streaming. Raises SourceNotFound, SourceDenied, SourceBusy or SourceUnreadable."""
        self.close()
        self._check_node(self._path)
        try:
            capture = self._connect(self._path)
        except cv2.error as error:
            raise SourceUnreadable(
                f"{self._path} cannot be opened: {error}", hint="Plug the camera in again, or try another one."
            ) from error
        if not capture.isOpened():
            capture.release()
            raise SourceBusy(
                f"{self._path} is a camera, but does not start; most often another program is using it",
                hint=f"Find that program with `fuser -v {self._path}` and end it, or plug the camera in again.",
            )
        self._capture = capture
        self._seq = 0
        self._damaged = 0

    def read(self, timeout_s: float) -> Frame | None:
        """Return the next frame, or None. Raises SourceError when the camera is gone, RuntimeError when not open."""
        if self._capture is None:
            raise RuntimeError("read() needs open() first")
        deadline = self._clock.monotonic() + timeout_s
        while True:
            image = self._grab(self._capture)
            if image is not None:
                return self._frame(image)
            self._check_node(self._path)
            if self._clock.monotonic() >= deadline:
                return None
            self._clock.wait(self._never, _RETRY_S)  # a broken driver may fail at once, again and again

    def close(self) -> None:
        """Give the camera back."""
        if self._capture is not None:
            self._capture.release()
            self._capture = None

    def frame_count(self) -> int | None:
        """Nobody knows."""
        return None

    def _grab(self, capture: Capture) -> BgrImage | None:
        """Get the next picture; None when none came, or a damaged one."""
        try:
            arrived, image = capture.read()
        except cv2.error as error:
            self.stats.corrupt += 1
            self._damaged += 1
            if self._damaged >= _DAMAGED_MAX:
                raise SourceLost(
                    f"{self._path} has given {_DAMAGED_MAX} damaged frames on end: {error}",
                    hint="Check the cable and the power of the camera: too little of either damages frames.",
                ) from error
            return None
        if arrived:
            self._damaged = 0
        return image if arrived else None

    def _frame(self, image: BgrImage) -> Frame:
        frame = Frame(
            seq=self._seq,
            captured_at=self._clock.monotonic(),
            width_px=image.shape[1],
            height_px=image.shape[0],
            decode=lambda: image,
        )
        self._seq += 1
        self.stats.frames += 1
        return frame
