"""Frames from a video file, decoded by FFmpeg through PyAV: a damaged clip must not end the process."""

from __future__ import annotations

import itertools
import logging
import stat
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import av

from edged.capture.foreign import ANY_METADATA, FOREIGN
from edged.capture.limits import MAX_PIXELS
from edged.capture.media_time import MediaTime
from edged.capture.os_errors import source_error
from edged.capture.pixels import BgrConverter, quarter_turns
from edged.capture.playback import Playback
from edged.clock import Clock
from edged.domain.frame import Frame
from edged.domain.health import SourceStats
from edged.errors import SourceUnreadable

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

_LIMITS = {"max_pixels": str(MAX_PIXELS)}

_MAX_READ_ERRORS = 16  # in a row; a container that is broken for good would otherwise keep us for ever
_WHOLE = 0.95  # headers claim a few frames more than there are
_NOMINAL_FPS = 25.0  # where the header names no believable rate

_log = logging.getLogger(__name__)


class VideoFileSource:
    """Plays one file from its first video stream that is no cover picture.

    As fast as possible, every frame is given out and the run is deterministic; in real time, frames come when they
    are due and those whose time passed while nobody asked are dropped. `captured_at` is the instant of open() plus the
    frame's time in the file. `seq` counts damaged frames too, so it stays in step with the recording.
    """

    def __init__(self, path: Path, *, clock: Clock, in_real_time: bool) -> None:
        self.stats = SourceStats()
        self._path = path
        self._clock = clock
        self._in_real_time = in_real_time
        self._container: InputContainer | None = None
        self._playback: Playback | None = None
        self._frame_count: int | None = None

    def open(self) -> None:
        """Open the file and decode its first frame.

        Raises SourceNotFound, SourceDenied, or SourceUnreadable when there is no picture in it.
        """
        self.close()
        size_bytes = _readable_size_bytes(self._path)
        try:
            # `file:` keeps a name such as `concat:a|b` a name; FFmpeg then lets a playlist name local files only
            self._container = av.open(f"file:{self._path}", **ANY_METADATA, options=_LIMITS)
            stream = self._video_stream(self._container)
            self._frame_count = _frame_count(stream, size_bytes)
            frames = self._frames(self._container, stream)
            first = next(frames, None)
            if first is None:
                raise self._unreadable("not one of its frames can be decoded")
        except FOREIGN as error:
            self.close()
            raise self._unreadable(str(error)) from error
        except SourceUnreadable:
            self.close()
            raise
        self._playback = Playback(
            itertools.chain([first], frames), clock=self._clock, in_real_time=self._in_real_time, stats=self.stats
        )

    def read(self, timeout_s: float) -> Frame | None:
        """Return the next frame; see Source.read. Raises EndOfStream, and RuntimeError when it is not open."""
        if self._playback is None:
            raise RuntimeError("read() needs open() first")
        return self._playback.read(timeout_s)

    def close(self) -> None:
        """Let go of the file. Frames given out stay valid."""
        self._playback = None
        if self._container is not None:
            self._container.close()
            self._container = None

    def frame_count(self) -> int | None:
        """What the header claims, known once open; real files hold a few more or less."""
        return self._frame_count

    def _video_stream(self, container: InputContainer) -> VideoStream:
        for stream in container.streams.video:
            if not _is_cover(stream) and stream.codec_context is not None:  # None: a codec unknown to this build
                stream.codec_context.thread_count = 1  # inference needs the other cores
                stream.codec_context.options = _LIMITS
                return stream
        raise self._unreadable("it has no video stream that this build of FFmpeg can decode")

    def _frames(self, container: InputContainer, stream: VideoStream) -> Iterator[Frame]:
        converter = BgrConverter()
        media_time = MediaTime(step_s=1 / _nominal_fps(stream))
        opened_at = self._clock.monotonic()
        damaged_before = self.stats.corrupt
        seq, last_s = -1, None
        for picture in self._pictures(container, stream):
            seq += 1
            if picture is None or picture.is_corrupt:
                self.stats.corrupt += 1
                continue
            last_s = _stamp_s(picture)
            turns = quarter_turns(picture)
            yield Frame(
                seq=seq,
                captured_at=opened_at + media_time.after_first_s(last_s),
                width_px=picture.height if turns % 2 else picture.width,
                height_px=picture.width if turns % 2 else picture.height,
                decode=partial(converter.convert, picture),
                decode_for=None if turns else partial(converter.convert_for, picture),
                decode_luma=partial(converter.luma, picture),
                decode_part=None if turns else partial(converter.part, picture),
            )
        if damaged := self.stats.corrupt - damaged_before:
            _log.warning("%s is damaged: %d of its frames could not be decoded", self._path, damaged)
        if cut := _cut_off(container, stream, frames=seq + 1, last_s=last_s):
            _log.warning("%s ends early: after %s", self._path, cut)

    def _pictures(self, container: InputContainer, stream: VideoStream) -> Iterator[av.VideoFrame | None]:
        """Decode to the end; None stands for a packet that cannot be decoded."""
        for packet in self._packets(container, stream):
            try:
                pictures = packet.decode()
            except av.EOFError:  # packets after the decoder was told that the stream ends
                continue
            except FOREIGN as error:
                _log.debug("%s: a damaged packet was passed over: %s", self._path, error)
                yield None
                continue
            for picture in pictures:
                if isinstance(picture, av.VideoFrame):
                    yield picture

    def _packets(self, container: InputContainer, stream: VideoStream) -> Iterator[av.Packet[VideoStream]]:
        """Read to the end, going on after errors: behind a damaged place there is often more."""
        errors = 0
        while errors < _MAX_READ_ERRORS:
            try:
                for packet in container.demux(stream):
                    errors = 0
                    yield packet
                return
            except FOREIGN as error:
                _log.debug("%s: reading went on after: %s", self._path, error)
                self.stats.corrupt += 1
                errors += 1

    def _unreadable(self, reason: str) -> SourceUnreadable:
        return SourceUnreadable(
            f"{self._path} holds no video that can be decoded: {reason}",
            hint="Play it with `ffplay` or another player; if that fails too, copy or record it again.",
        )


def _is_cover(stream: VideoStream) -> bool:
    """Whether it is the one picture that a file of sound, or a film, has on its cover."""
    return bool(stream.disposition & type(stream.disposition).attached_pic)


def _readable_size_bytes(path: Path) -> int:
    """Check what FFmpeg would only call invalid data. Raises SourceError."""
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise SourceUnreadable(f"{path} is a folder, not a video", hint="Name a file in it.")
        if not stat.S_ISREG(status.st_mode):
            raise SourceUnreadable(f"{path} is not a regular file", hint="Name a video file.")
        with path.open("rb"):
            pass
    except OSError as error:
        raise source_error(error, str(path)) from error
    if status.st_size == 0:
        raise SourceUnreadable(f"{path} is empty", hint="Copy or record it again.")
    return status.st_size


def _frame_count(stream: VideoStream, size_bytes: int) -> int | None:
    count = stream.frames
    if count <= 0 and stream.duration and stream.time_base:
        count = round(float(stream.duration * stream.time_base) * _nominal_fps(stream))
    return count if 0 < count <= size_bytes else None  # a frame is at least one byte: more is a damaged header


def _cut_off(container: InputContainer, stream: VideoStream, *, frames: int, last_s: float | None) -> str:
    """Where a recording ended, in words, if that is well before the end that its header tells; else nothing."""
    length_s = _length_s(container, stream)
    if length_s is None or last_s is None or last_s + 1 / _nominal_fps(stream) >= _WHOLE * length_s:
        return ""
    if stream.frames <= 0:
        return f"{last_s:.1f} of {length_s:.1f} s"
    return f"{frames} of {stream.frames} frames" if frames < _WHOLE * stream.frames else ""


def _length_s(container: InputContainer, stream: VideoStream) -> float | None:
    """What the header says, where it does: FFmpeg guesses it for other kinds of files, from their size."""
    if container.format.name == "avi":  # whose index lies at its end: without one, FFmpeg takes what is left for all
        return stream.frames / _nominal_fps(stream) or None
    if stream.frames > 0 and stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    if container.format.name.startswith("matroska") and len(container.streams) == 1 and container.duration:
        return container.duration / av.time_base  # of the longest stream
    return None


def _nominal_fps(stream: VideoStream) -> float:
    for rate in (stream.average_rate, stream.guessed_rate):
        if rate and 0.001 <= float(rate) <= 1000:
            return float(rate)
    return _NOMINAL_FPS


def _stamp_s(picture: av.VideoFrame) -> float | None:
    stamp = picture.pts if picture.pts is not None else picture.dts
    if stamp is None or not picture.time_base:
        return None
    return float(stamp * picture.time_base)
