"""Opens what libav takes apart: RTSP by its address, MPEG-TS and bare H.264 from a connection of ours."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING

import av

from edged.capture.foreign import ANY_METADATA, FOREIGN
from edged.capture.network.address import Address
from edged.capture.network.connection import connect, resolve
from edged.capture.network.faults import libav_error, no_answer, stalled, unreadable
from edged.clock import Clock
from edged.errors import SourceError

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

# What a camera sends. Playlists are not among them: a stranger's server could name files and hosts in one.
_FORMATS = "mpegts,h264,hevc,mjpeg,mpjpeg,flv,matroska,webm,mpeg"
_PROBE_BYTES = "20000"  # enough to tell the formats apart; more would make a slow stream late
_BUFFER_BYTES = 8192  # as much as libav asks for at once: more would hold pictures back

Receive = Callable[[float], "bytes | None"]


class Pipe:
    """The file that libav reads, fed by a connection: every read ends at the deadline.

    libav cannot take a broken read up again, and loses exceptions on the way: a fault is the end of the file, and lies
    here.
    """

    def __init__(self, receive: Receive, close: Callable[[], None], address: Address, *, clock: Clock) -> None:
        """`receive` and `close` are the connection's."""
        self.fault: SourceError | None = None
        self.close = close
        self._receive = receive
        self._address = address
        self._clock = clock
        self._data = b""
        self._allowed_s = self._deadline = 0.0

    def allow(self, timeout_s: float) -> None:
        """Let the reads that follow last so long, all together."""
        self._allowed_s = timeout_s
        self._deadline = self._clock.monotonic() + timeout_s

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes; none at the end, which is a fault."""
        while not self._data and self.fault is None:
            left_s = self._deadline - self._clock.monotonic()
            try:
                data = self._receive(left_s) if left_s > 0 else None
            except SourceError as error:
                self.fault = error
                continue
            if data is None:
                self.fault = stalled(self._address, self._allowed_s)
            else:
                self._data = data
        data, self._data = self._data[:size], self._data[size:]
        return data


def open_rtsp(address: Address, *, clock: Clock, timeout_s: float, stall_timeout_s: float) -> InputContainer:
    """Connect and play, over TCP: UDP loses packets, and each that is lost spoils pictures until the next key picture.

    `fflags=nobuffer` is not used: it throws away what libav read while it looked at the stream, the first key picture
    with it. Raises SourceError.
    """
    if address.secure:
        connect(address, timeout_s).close()  # libav calls a bad certificate an I/O error; this names it
    else:
        resolve(address)
    options = {
        "rtsp_transport": "tcp",
        "allowed_media_types": "video",
        "timeout": str(round(timeout_s * 1e6)),  # of one wait for the socket, also where PyAV sets none: TEARDOWN
        "probesize": "32",  # the session's description says what comes: the first picture need not wait for others
    }
    if address.secure:
        paths = ssl.get_default_verify_paths()
        options |= {"tls_verify": "1", "ca_file": paths.cafile or paths.openssl_cafile}
    started_at = clock.monotonic()
    try:
        opened: InputContainer = av.open(
            address.url, "r", **ANY_METADATA, options=options, timeout=(timeout_s, stall_timeout_s)
        )
        return opened
    except FOREIGN as error:
        if clock.monotonic() - started_at >= timeout_s:  # libav says anything at all when it was interrupted
            raise no_answer(address) from None
        raise libav_error(error, address) from None


def open_pipe(pipe: Pipe, address: Address, *, format_name: str | None, timeout_s: float) -> InputContainer:
    """Find out within `timeout_s` what comes through the pipe. Raises SourceError."""
    pipe.allow(timeout_s)
    options = {"format_whitelist": _FORMATS, "probesize": _PROBE_BYTES, "fpsprobesize": "0"}
    try:
        opened: InputContainer = av.open(
            pipe, "r", format=format_name, **ANY_METADATA, options=options, buffer_size=_BUFFER_BYTES
        )
        return opened
    except FOREIGN as error:
        raise pipe.fault or libav_error(error, address) from None


def video_stream(container: InputContainer, address: Address) -> VideoStream:
    """Return the first video stream that can be decoded. Raises SourceUnreadable."""
    for stream in container.streams.video:
        if stream.codec_context is not None:
            return stream
    if container.streams.video:
        raise unreadable(address, "its video is in a codec that this build of FFmpeg does not know")
    raise unreadable(address, "there is no video in this stream")
