"""MJPEG over HTTP: each picture stands alone, so one that nobody looks at is never decoded."""

from __future__ import annotations

from functools import partial

import numpy as np

from edged.capture.formats import PixelDecoder, pixel_decoder
from edged.capture.image_size import image_size
from edged.capture.limits import MAX_PIXELS
from edged.capture.network.address import Address
from edged.capture.network.arrival import ArrivalTime
from edged.capture.network.faults import unreadable
from edged.capture.network.http import Body
from edged.capture.network.multipart import Multipart, Part
from edged.capture.network.pictures import Picture
from edged.clock import Clock
from edged.domain.health import SourceStats

_DRAINS_MAX = 128  # reads of 64 KiB: a sender that is faster than we read must not keep us for ever


class JpegPictures:
    """Pictures of a multipart body; see Pictures."""

    def __init__(self, body: Body, address: Address, *, clock: Clock, stats: SourceStats) -> None:
        self._body = body
        self._address = address
        self._clock = clock
        self._stats = stats
        self._multipart = Multipart(body.boundary)
        self._arrival = ArrivalTime()
        self._decoder: PixelDecoder | None = None
        self._size: tuple[int, int] | None = None

    def read(self, timeout_s: float) -> Picture | None:
        """Return the newest picture; see Pictures."""
        deadline = self._clock.monotonic() + timeout_s
        while True:
            parts = self._receive(max(0.0, deadline - self._clock.monotonic()))
            if parts is None:
                return None
            if parts:
                parts += self._drain()
                self._stats.dropped += len(parts) - 1
                picture = self._picture(parts[-1])
                if picture is not None:
                    return picture
                self._stats.corrupt += 1
            if self._clock.monotonic() >= deadline:
                return None

    def close(self) -> None:
        """Hang up."""
        self._body.close()

    def _receive(self, timeout_s: float) -> list[Part] | None:
        data = self._body.receive(timeout_s)
        if data is None:
            return None
        try:
            return self._multipart.feed(data)
        except ValueError as error:
            raise unreadable(self._address, f"what comes makes no sense: {error}") from None

    def _drain(self) -> list[Part]:
        """Take what else is here already: it is newer."""
        newer: list[Part] = []
        for _ in range(_DRAINS_MAX):
            parts = self._receive(0.0)
            if parts is None:
                break
            newer += parts
        return newer

    def _picture(self, part: Part) -> Picture | None:
        size = image_size(part.data) if part.data.startswith(b"\xff\xd8") else None
        if size is None or not 0 < size[0] * size[1] <= MAX_PIXELS:
            return None
        if self._decoder is None or size != self._size:
            self._size = size
            self._decoder = pixel_decoder(
                "MJPG", width_px=size[0], height_px=size[1], stride_bytes=0, full_range=True, bt709=False
            )
        planes = [np.frombuffer(part.data, np.uint8)]
        return Picture(
            captured_at=self._arrival.place(part.stamp_s, self._clock.monotonic()),
            width_px=size[0],
            height_px=size[1],
            decode=partial(self._decoder.decode, planes),
            decode_for=partial(self._decoder.decode_for, planes),
            decode_luma=partial(self._decoder.luma, planes),
        )
