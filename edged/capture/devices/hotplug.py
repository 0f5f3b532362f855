"""Ends a wait early when a video device comes or goes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from edged.capture.devices.inotify import Inotify
from edged.clock import Clock

log = logging.getLogger(__name__)

_LOOK_EVERY_S = 0.5  # udev needs a moment to give a new device its rights and links


class HotplugWatch:
    """What a lost camera is waited for with. Belongs to one thread; has none of its own.

    The kernel notes what happens in /dev (inotify, which needs no rights and also tells when udev has let this user
    in), and the wait looks into its notes twice a second. So a stop is heard at once, a device within half a second,
    and a hub that comes and goes all the time cannot make edged busy. Where the kernel refuses, a wait is only a wait.
    """

    def __init__(self, source: Path, *, clock: Clock, dev: Path = Path("/dev")) -> None:
        """`source` is the camera as configured: /dev/videoN or a link anywhere."""
        self._source = source
        self._clock = clock
        self._dev = dev
        self._folders = (dev, dev / "v4l", dev / "v4l/by-id", dev / "v4l/by-path", source.parent)
        self._notes: Inotify | None = None
        self._told = False

    def wait(self, timeout_s: float, stop: threading.Event) -> bool:
        """Wait until `stop` is set, `timeout_s` seconds have passed, or a device came, went or changed its rights.

        Returns whether it was a device. One that did so since the last wait counts too, a moment after the beginning.
        """
        self._watch()
        deadline = self._clock.monotonic() + timeout_s
        while (left_s := deadline - self._clock.monotonic()) > 0:
            if self._clock.wait(stop, min(left_s, _LOOK_EVERY_S)):
                return False
            if self._take_changes():
                return True
        return False

    def close(self) -> None:
        """Let go of the kernel's notes. Harmless when done already; a later wait begins new ones."""
        if self._notes is not None:
            self._notes.close()
            self._notes = None

    def _watch(self) -> None:
        """Have the folders watched that are there; udev makes and removes those below /dev/v4l."""
        notes = self._notes = self._notes or self._begin()
        if notes is None:
            return
        for folder in self._folders:
            with suppress(OSError):  # not there yet
                notes.watch(folder)

    def _begin(self) -> Inotify | None:
        try:
            return Inotify()
        except OSError as error:  # this user has too many, or a sandbox forbids it
            if not self._told:
                log.warning("%s is tried now and then: inotify does not tell when it comes: %s", self._source, error)
            self._told = True
            return None

    def _take_changes(self) -> bool:
        if self._notes is None:
            return False
        mattered = self._any_matters(self._notes.changed())
        if mattered:
            self._watch()
        return mattered

    def _any_matters(self, changed: Iterable[Path]) -> bool:
        """Tell video devices and their links from all else in /dev."""
        return any(
            path.parent != self._dev or path.name.startswith(("video", "v4l")) or path == self._source
            for path in changed
        )
