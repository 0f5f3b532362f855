"""Frames from a folder of pictures, or from a single one."""

from __future__ import annotations

import itertools
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from edged.capture.image_size import image_size
from edged.capture.limits import MAX_PIXELS
from edged.capture.os_errors import source_error
from edged.capture.playback import Playback
from edged.clock import Clock
from edged.domain.frame import BgrImage, Frame
from edged.domain.health import SourceStats
from edged.errors import FrameCorrupt, SourceUnreadable

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})

_MAX_BYTES = 4 * MAX_PIXELS  # a picture of MAX_PIXELS is smaller than this in any of the formats

_log = logging.getLogger(__name__)


class ImageFolderSource:
    """Plays the JPEG, PNG, WebP and BMP files of a folder in natural order (2 before 10), or one file.

    `captured_at` is the instant of open() plus `interval_s` a file; in real time the frames come at that pace. `seq` is
    the file's place in the order, unreadable ones counted. Frames may differ in size. Pictures are turned upright by
    their EXIF orientation; grey, transparent and 16-bit ones become plain BGR.
    """

    def __init__(self, path: Path, *, clock: Clock, interval_s: float = 0.1, in_real_time: bool = False) -> None:
        if interval_s <= 0:
            raise ValueError(f"interval_s must be above 0, not {interval_s}")
        self.stats = SourceStats()
        self._path = path
        self._clock = clock
        self._interval_s = interval_s
        self._in_real_time = in_real_time
        self._playback: Playback | None = None
        self._frame_count: int | None = None

    def open(self) -> None:
        """List the folder and decode the first picture that can be.

        Raises SourceNotFound, SourceDenied, or SourceUnreadable when there is no readable picture.
        """
        self.close()
        files = self._files()
        self._frame_count = len(files)
        frames = self._frames(files)
        first = next(frames, None)
        if first is None:
            raise self._nothing_readable(files)
        self._playback = Playback(
            itertools.chain([first], frames), clock=self._clock, in_real_time=self._in_real_time, stats=self.stats
        )

    def read(self, timeout_s: float) -> Frame | None:
        """Return the next frame; see Source.read. Raises EndOfStream, and RuntimeError when it is not open."""
        if self._playback is None:
            raise RuntimeError("read() needs open() first")
        return self._playback.read(timeout_s)

    def close(self) -> None:
        """Forget the list of files."""
        self._playback = None

    def frame_count(self) -> int | None:
        """How many picture files there are, known once open; unreadable ones counted."""
        return self._frame_count

    def _files(self) -> list[Path]:
        try:
            self._path.stat()
            if not self._path.is_dir():
                return [self._path]
            files = [
                file
                for file in self._path.iterdir()
                if file.suffix.lower() in IMAGE_SUFFIXES and not file.name.startswith(".") and file.is_file()
            ]
        except OSError as error:
            raise source_error(error, str(self._path)) from error
        return sorted(files, key=_natural_order)

    def _frames(self, files: list[Path]) -> Iterator[Frame]:
        opened_at = self._clock.monotonic()
        for seq, file in enumerate(files):
            try:
                image = read_image(file)
            except FrameCorrupt as error:
                _log.warning("passed over: %s", error.message)
                self.stats.corrupt += 1
                continue
            yield Frame(
                seq=seq,
                captured_at=opened_at + seq * self._interval_s,
                width_px=image.shape[1],
                height_px=image.shape[0],
                decode=lambda image=image: image,  # type: ignore[misc]
            )

    def _nothing_readable(self, files: list[Path]) -> SourceUnreadable:
        if not files:
            return SourceUnreadable(
                f"{self._path} holds no pictures", hint=f"Put {', '.join(sorted(IMAGE_SUFFIXES))} files in it."
            )
        try:
            read_image(files[-1])
        except FrameCorrupt as error:
            return SourceUnreadable(f"no readable picture in {self._path}: {error.message}", hint=error.hint)
        return SourceUnreadable(f"{self._path} is changing", hint="Wait until all files are written.")


def read_image(file: Path) -> BgrImage:
    """Read one picture, (H, W, 3) uint8 BGR, upright. Raises FrameCorrupt, which says why."""
    try:
        if file.stat().st_size > _MAX_BYTES:
            raise FrameCorrupt(f"{file} is larger than {_MAX_BYTES >> 20} MiB", hint="Scale it down.")
        data = file.read_bytes()
    except OSError as error:
        raise FrameCorrupt(
            f"{file} cannot be read: {error.strerror}", hint=source_error(error, str(file)).hint
        ) from error
    size = image_size(data)
    if size is None:
        raise FrameCorrupt(
            f"{file} is no whole JPEG, PNG, WebP or BMP picture", hint="Convert it to one of these, or copy it again."
        )
    if size[0] * size[1] > MAX_PIXELS:
        raise FrameCorrupt(
            f"{file} has {size[0]} × {size[1]} pixels, more than {MAX_PIXELS // 1_000_000} million",
            hint="Scale it down.",
        )
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise FrameCorrupt(f"{file} cannot be decoded: {error}", hint="Copy it again.") from error
    if image is None:
        raise FrameCorrupt(f"{file} cannot be decoded", hint="It is damaged or cut short: copy it again.")
    return np.ascontiguousarray(image)


def _natural_order(file: Path) -> list[tuple[int, str]]:
    parts = re.split(r"(\d+)", file.name)
    return [(int(part), "") if part.isdecimal() else (-1, part.casefold()) for part in parts]
