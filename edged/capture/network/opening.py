"""From an address to its pictures: the way depends on the scheme, and over HTTP on what the camera says it sends."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edged.capture.foreign import FOREIGN
from edged.capture.network.address import Address
from edged.capture.network.connection import Connection, connect
from edged.capture.network.containers import Pipe, Receive, open_pipe, open_rtsp, video_stream
from edged.capture.network.decoders import Decoder, StreamDecoder, available
from edged.capture.network.faults import hung_up, libav_error, unreadable
from edged.capture.network.http import Body, get
from edged.capture.network.jpegs import JpegPictures
from edged.capture.network.pictures import Pictures
from edged.capture.network.videos import VideoPictures
from edged.clock import Clock
from edged.domain.health import SourceStats

if TYPE_CHECKING:
    from av.container import InputContainer

_NO_STREAMS = {
    "text/html": "that is a web page, not a stream",
    "application/vnd.apple.mpegurl": "that is a playlist (HLS), which comes seconds late and in bursts",
    "application/x-mpegurl": "that is a playlist (HLS), which comes seconds late and in bursts",
    "audio/mpegurl": "that is a playlist (HLS), which comes seconds late and in bursts",
    "video/mp4": "that is a recording (MP4), not a stream: fetch it, and name the file",
    "video/quicktime": "that is a recording (QuickTime), not a stream: fetch it, and name the file",
    "video/x-msvideo": "that is a recording (AVI), not a stream: fetch it, and name the file",
}


@dataclass(frozen=True, kw_only=True)
class Opener:
    """Opens streams. Remembers which hardware decoders did not work, so that each is tried once."""

    clock: Clock
    stats: SourceStats
    open_timeout_s: float
    stall_timeout_s: float
    decoders: Callable[[str], tuple[Decoder, ...]] = available
    useless: set[Decoder] = field(default_factory=set)

    def open(self, address: Address) -> Pictures:
        """Connect, and find out what comes. Raises SourceError."""
        if address.scheme in ("rtsp", "rtsps"):
            container = open_rtsp(
                address, clock=self.clock, timeout_s=self.open_timeout_s, stall_timeout_s=self.stall_timeout_s
            )
            return self._video(address, container)
        if address.scheme == "tcp":
            connection = connect(address, self.open_timeout_s)
            return self._piped(address, _unless_hung_up(connection, address), connection.close, format_name=None)
        body = get(address, clock=self.clock, timeout_s=self.open_timeout_s)
        if body.content_type.startswith("multipart/"):
            return JpegPictures(body, address, clock=self.clock, stats=self.stats)
        return self._http_video(address, body)

    def _http_video(self, address: Address, body: Body) -> Pictures:
        reason = _NO_STREAMS.get(body.content_type)
        if body.content_type.startswith("image/"):
            reason = "that is a single picture, not a stream"
        if reason:
            body.close()
            raise unreadable(address, reason)
        format_name = "mpegts" if body.content_type == "video/mp2t" else None
        return self._piped(address, body.receive, body.close, format_name=format_name)

    def _piped(
        self, address: Address, receive: Receive, close: Callable[[], None], *, format_name: str | None
    ) -> Pictures:
        pipe = Pipe(receive, close, address, clock=self.clock)
        with ExitStack() as stack:
            stack.callback(close)
            container = open_pipe(pipe, address, format_name=format_name, timeout_s=self.open_timeout_s)
            pictures = self._video(address, container, pipe)
            stack.pop_all()
        return pictures

    def _video(self, address: Address, container: InputContainer, pipe: Pipe | None = None) -> VideoPictures:
        with ExitStack() as stack:
            stack.callback(container.close)
            stream = video_stream(container, address)
            decoders = [one for one in self.decoders(stream.codec_context.codec.name) if one not in self.useless]
            try:
                decoder = StreamDecoder(stream, decoders, useless=self.useless)
            except FOREIGN as error:
                raise libav_error(error, address) from None
            stack.pop_all()
        return VideoPictures(
            container,
            stream,
            decoder,
            address,
            clock=self.clock,
            stats=self.stats,
            pipe=pipe,
            stall_timeout_s=self.stall_timeout_s,
        )


def _unless_hung_up(connection: Connection, address: Address) -> Receive:
    def receive(timeout_s: float) -> bytes | None:
        data = connection.receive(timeout_s)
        if data == b"":
            raise hung_up(address)
        return data

    return receive
