"""An annotated recording as MP4, with each frame at its true time."""

from __future__ import annotations

import contextlib
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, cast

import av
import cv2
import numpy as np

from edged.domain.frame import BgrImage
from edged.imaging.contact_sheet import fit
from edged.imaging.files import cannot_write

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.video.stream import VideoStream

_TIME_BASE = Fraction(1, 90_000)  # MPEG's clock
_MAX_SIDE_PX = 8192  # encoders refuse twice as much, and few players show as much

# best first; a build of FFmpeg without the GPL parts has no libx264
_ENCODERS = {
    "libx264": {"preset": "veryfast", "crf": "23"},
    "libopenh264": {},
    "mpeg4": {"qmin": "2", "qmax": "8"},
}


class VideoWriter:
    """Writes H.264 (MPEG-4 part 2 where there is no H.264 encoder) into an .mp4; use it in a `with` statement.

    The first frame sets the size, made even, as 4:2:0 needs, and at most 8192 pixels a side; frames of another size are
    fitted in. No frames, no file.
    """

    def __init__(self, path: Path, *, fps: float = 25.0) -> None:
        """`fps` is about how many frames a second will come; their true times are given to write()."""
        self._path = path
        self._fps = fps
        self._container: OutputContainer | None = None
        self._stream: VideoStream | None = None
        self._began_at = 0.0
        self._last_pts = -1

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def write(self, image: BgrImage, at: float) -> None:
        """Add a frame that is shown from the instant `at` (seconds, rising) on. Raises EdgedError."""
        try:
            if self._container is None or self._stream is None:
                self._container, self._stream = self._open(image)
                self._began_at = at
            self._encode(self._container, self._stream, image, at)
        except (OSError, av.FFmpegError) as error:
            self._abandon()
            raise cannot_write(self._path, OSError(error.errno, error.strerror)) from error

    def close(self) -> None:
        """Finish the file; without this no player opens it. Harmless when closed already. Raises EdgedError."""
        container, stream, self._container, self._stream = self._container, self._stream, None, None
        if container is None or stream is None:
            return
        try:
            try:
                container.mux(stream.encode(None))
            finally:
                container.close()
        except (OSError, av.FFmpegError) as error:
            raise cannot_write(self._path, OSError(error.errno, error.strerror)) from error

    def _abandon(self) -> None:
        container, self._container, self._stream = self._container, None, None
        with contextlib.suppress(OSError, av.FFmpegError):  # the first error says it all
            if container is not None:
                container.close()

    def _open(self, image: BgrImage) -> tuple[OutputContainer, VideoStream]:
        container = av.open(f"file:{self._path}", "w", format="mp4")
        name = next(name for name in _ENCODERS if name in av.codecs_available)
        rate = Fraction(self._fps).limit_denominator(1001)
        stream = cast("VideoStream", container.add_stream(name, rate=rate, options=_ENCODERS[name]))
        scale = min(1.0, _MAX_SIDE_PX / max(image.shape[:2]))
        height_px, width_px = (max(1, round(scale * side_px)) for side_px in image.shape[:2])
        stream.height, stream.width = height_px + height_px % 2, width_px + width_px % 2
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = _TIME_BASE
        stream.codec_context.thread_count = 1
        return container, stream

    def _encode(self, container: OutputContainer, stream: VideoStream, image: BgrImage, at: float) -> None:
        frame = av.VideoFrame.from_ndarray(self._sized(image, stream.width, stream.height), "bgr24")
        frame.time_base = _TIME_BASE
        frame.pts = self._last_pts = max(round((at - self._began_at) / _TIME_BASE), self._last_pts + 1)
        container.mux(stream.encode(frame))

    def _sized(self, image: BgrImage, width_px: int, height_px: int) -> BgrImage:
        right, below = width_px - image.shape[1], height_px - image.shape[0]
        if (right, below) == (0, 0):
            return image
        if right in (0, 1) and below in (0, 1):
            return np.asarray(cv2.copyMakeBorder(image, 0, below, 0, right, cv2.BORDER_REPLICATE), np.uint8)
        return fit(image, width_px=width_px, height_px=height_px)
