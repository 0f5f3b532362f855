"""From what a person writes to the source that plays it."""

from __future__ import annotations

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
from edged.domain.addresses import SCHEMES, scheme, without_secrets
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
    stall_timeout_s: float = 5.0,
) -> Source:
    """Choose the source for `spec`; the caller opens it.

    `spec` is a device (edged.domain.devices), an address on the network (edged.domain.addresses), a folder of pictures,
    a picture, or a video file. `in_real_time` and `image_interval_s` (seconds from one picture to the next) are for
    files; `wanted`, `controls` and `find` are for devices, see V4l2Source; `stall_timeout_s` is for addresses, see
    NetworkSource. Raises SourceUnreadable for an address of an unknown kind and for a link to a device from elsewhere,
    and SourceNotFound for nothing at all; whether the rest exists is found out by Source.open().
    """
    if not spec or "\0" in spec:
        raise SourceNotFound(f"{spec!r} is no source", hint="Name a camera (/dev/video0), a video file or a folder.")
    if scheme(spec) is not None:
        return _network_source(spec, clock, stall_timeout_s)
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


def _network_source(spec: str, clock: Clock, stall_timeout_s: float) -> Source:
    if scheme(spec) not in SCHEMES:
        raise SourceUnreadable(
            f"{without_secrets(spec)} is an address of a kind that edged does not know",
            hint=f"It reads {', '.join(f'{known}://' for known in SCHEMES)}; a file needs no file:// before it.",
        )
    from edged.capture.network.source import NetworkSource  # TLS and HTTP take long to load on a small board

    return NetworkSource(spec, clock=clock, stall_timeout_s=stall_timeout_s)


def _mode(path: Path) -> int:
    """Look what is there; 0 when nobody can tell, which open() will explain."""
    try:
        return path.stat().st_mode
    except OSError:
        return 0
