"""From what a person writes to the source that plays it."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from edged.capture.image_folder import IMAGE_SUFFIXES, ImageFolderSource
from edged.capture.v4l2.controls import ControlValue
from edged.capture.v4l2.mode import WantedMode
from edged.capture.v4l2.source import V4l2Source
from edged.capture.video_file import VideoFileSource
from edged.clock import Clock
from edged.domain.devices import device_path
from edged.errors import SourceNotFound, SourceUnreadable
from edged.ports import Source


def open_source(
    spec: str,
    *,
    clock: Clock,
    in_real_time: bool,
    image_interval_s: float = 0.1,
    wanted: WantedMode = WantedMode(),  # noqa: B008  frozen
    controls: Mapping[str, ControlValue] = MappingProxyType({}),
    find: Callable[[], Path] | None = None,
) -> Source:
    """Choose the source for `spec`; the caller opens it.

    `spec` is a device (edged.domain.devices), a folder of pictures, a picture, or a video file. `in_real_time` and
    `image_interval_s` (seconds from one picture to the next) are for files; `wanted`, `controls` and `find` are for
    devices, see V4l2Source. Raises SourceUnreadable for an address on the network and for a link to a device from
    elsewhere, and SourceNotFound for nothing at all; whether the rest exists is found out by Source.open().
    """
    if not spec or "\0" in spec:
        raise SourceNotFound(f"{spec!r} is no source", hint="Name a camera (/dev/video0), a video file or a folder.")
    if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*://", spec):
        raise SourceUnreadable(
            f"{spec} is on the network, and edged does not read network streams yet",
            hint="Use a camera at this machine (/dev/video0), or record the stream to a file first.",
        )
    device = device_path(spec)
    if device is not None:
        return V4l2Source(Path(device), clock=clock, wanted=wanted, controls=controls, find=find)
    path = Path(spec)
    mode = _mode(path)
    if stat.S_ISCHR(mode):
        raise SourceUnreadable(
            f"{spec} leads to a device, and a camera is known by a name below /dev/",
            hint=f"Name the device itself: {path.resolve()}",
        )
    if stat.S_ISDIR(mode) or path.suffix.lower() in IMAGE_SUFFIXES:
        return ImageFolderSource(path, clock=clock, interval_s=image_interval_s, in_real_time=in_real_time)
    return VideoFileSource(path, clock=clock, in_real_time=in_real_time)


def _mode(path: Path) -> int:
    """Look what is there; 0 when nobody can tell, which open() will explain."""
    try:
        return path.stat().st_mode
    except OSError:
        return 0
