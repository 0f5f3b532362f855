"""Compressed video from the network: every picture is decoded, because the next one builds on it, but not converted."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

import av

from edged.capture.foreign import FOREIGN
from edged.capture.network.address import Address
from edged.capture.network.arrival import ArrivalTime
from edged.capture.network.containers import Pipe
from edged.capture.network.decoders import StreamDecoder
from edged.capture.network.faults import hung_up, libav_error, stalled
from edged.capture.network.pictures import Picture
from edged.capture.pixels import BgrConverter, quarter_turns
from edged.clock import Clock
from edged.domain.health import SourceStats
from edged.errors import SourceError

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

_BEHIND_S = 1.0  # a picture that is read so much later than others were has waited for us
_WAITED_S = 0.005  # a packet that had to be waited for is the newest there is

_DAMAGED_MAX = 300  # packets on end that cannot be decoded: ten seconds without a picture


class VideoPictures:
    """Pictures of one video stream; see Pictures.

    A reader that fell behind, because the machine was busy, passes over what waits without decoding it and goes on at
    a key picture.
    """

    def __init__(
        self,
        container: InputContainer,
        stream: VideoStream,
        decoder: StreamDecoder,
        address: Address,
        *,
        clock: Clock,
        stats: SourceStats,
        pipe: Pipe | None = None,
        stall_timeout_s: float,
    ) -> None:
        """`pipe` is what the container reads, unless it has a connection of its own.

        The camera may be silent for `stall_timeout_s`.
        """
        self._container = container
        self._stream = stream
        self._decoder = decoder
        self._address = address
        self._clock = clock
        self._stats = stats
        self._pipe = pipe
        self._stall_timeout_s = stall_timeout_s
        self._packets: Iterator[av.Packet[VideoStream]] | None = None
        self._converter = BgrConverter()
        self._arrival = ArrivalTime()
        self._behind = False
        self._damaged = 0  # on end

    def read(self, timeout_s: float) -> Picture | None:
        """Return the newest picture; see Pictures. Lasts up to the stall time-out: libav waits as long as it likes."""
        deadline = self._clock.monotonic() + timeout_s
        while True:
            asked_at = self._clock.monotonic()
            packet = self._packet(asked_at)
            if packet is None:
                return None
            waited = self._clock.monotonic() - asked_at > _WAITED_S
            picture = self._newest(packet, waited=waited)
            if picture is not None:
                return picture
            if self._clock.monotonic() >= deadline:
                return None

    def close(self) -> None:
        """Hang up."""
        self._packets = None
        self._container.close()
        if self._pipe is not None:
            self._pipe.close()

    def _packet(self, asked_at: float) -> av.Packet[VideoStream] | None:
        """Return the next packet; None when none came in time. Raises SourceError."""
        if self._pipe is not None:
            self._pipe.allow(self._stall_timeout_s)
        if self._packets is None:
            self._packets = self._container.demux(self._stream)
        try:
            packet = next(self._packets, None)
        except av.ExitError:  # the stall time-out between two packets: libav's RTSP can go on where it was
            self._packets = None
            return None
        except FOREIGN as error:
            if self._clock.monotonic() - asked_at >= self._stall_timeout_s:  # … within a packet it cannot
                raise stalled(self._address, self._stall_timeout_s) from None
            raise self._fault() or libav_error(error, self._address) from None
        if packet is None or packet.size == 0:  # a camera's stream has no end
            raise self._fault() or hung_up(self._address)
        return packet

    def _fault(self) -> SourceError | None:
        return self._pipe.fault if self._pipe is not None else None

    def _newest(self, packet: av.Packet[VideoStream], *, waited: bool) -> Picture | None:
        if self._behind and not packet.is_keyframe:
            self._stats.dropped += 1
            return None
        pictures = self._decode(packet)
        if not pictures:
            return None
        self._stats.dropped += len(pictures) - 1
        picture, now = pictures[-1], self._clock.monotonic()
        captured_at = self._arrival.place(_stamp_s(picture), now)
        self._behind = not waited and now - captured_at > _BEHIND_S
        if self._behind:
            self._stats.dropped += 1
            return None
        turns = quarter_turns(picture)
        return Picture(
            captured_at=captured_at,
            width_px=picture.height if turns % 2 else picture.width,
            height_px=picture.width if turns % 2 else picture.height,
            decode=partial(self._converter.convert, picture),
            decode_for=None if turns else partial(self._converter.convert_for, picture),
            decode_luma=partial(self._converter.luma, picture),
            decode_part=None if turns else partial(self._converter.part, picture),
        )

    def _decode(self, packet: av.Packet[VideoStream]) -> list[av.VideoFrame]:
        """Decode one packet; what is damaged is counted. Raises SourceError when nothing else comes."""
        try:
            pictures = self._decoder.decode(packet)
        except FOREIGN as error:
            self._stats.corrupt += 1
            self._damaged += 1
            if self._damaged >= _DAMAGED_MAX:
                raise libav_error(error, self._address) from None
            return []
        whole = [picture for picture in pictures if not picture.is_corrupt]
        self._stats.corrupt += len(pictures) - len(whole)
        if whole:
            self._damaged = 0
        return whole


def _stamp_s(picture: av.VideoFrame) -> float | None:
    if picture.pts is None or not picture.time_base:
        return None
    return float(picture.pts * picture.time_base)
