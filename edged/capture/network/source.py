"""Frames from a camera on the network."""

from __future__ import annotations

from edged.capture.network.address import FindSecret, find_secret, parse_address
from edged.capture.network.opening import Opener
from edged.capture.network.pictures import Pictures
from edged.clock import Clock
from edged.domain.frame import Frame
from edged.domain.health import SourceStats

OPEN_TIMEOUT_S = 4.0  # libav may take it twice, and a daemon that is stopped meanwhile has ten seconds
STALL_TIMEOUT_S = 5.0
"""The longest that a read may keep a stop waiting."""


class NetworkSource:
    """Plays rtsp://, rtsps://, http://, https:// and tcp://; the newest frame wins, and the end of it is a loss.

    `captured_at` is when the frame came, smoothed by the stream's own time stamps. open() lasts up to twice
    `open_timeout_s`. A read lasts up to `stall_timeout_s`, unless it is of MJPEG: libav cannot take up again what was
    interrupted in the middle, so it is not interrupted earlier than the stream is given up.
    """

    def __init__(
        self,
        spec: str,
        *,
        clock: Clock,
        open_timeout_s: float = OPEN_TIMEOUT_S,
        stall_timeout_s: float = STALL_TIMEOUT_S,
        find_secret: FindSecret = find_secret,
    ) -> None:
        """`spec` is the address as a person writes it, with `${NAME}` for what `find_secret` knows."""
        self.stats = SourceStats()
        self._spec = spec
        self._opener = Opener(
            clock=clock,
            stats=self.stats,
            open_timeout_s=open_timeout_s,
            stall_timeout_s=min(stall_timeout_s, STALL_TIMEOUT_S),
        )
        self._find_secret = find_secret
        self._pictures: Pictures | None = None
        self._counted_at_open = 0

    def open(self) -> None:
        """Connect, and find out what comes.

        Raises SourceUnreachable, SourceDenied, SourceNotFound, SourceBusy or SourceUnreadable.
        """
        self.close()
        self._pictures = self._opener.open(parse_address(self._spec, find_secret=self._find_secret))
        self._counted_at_open = self._counted()

    def read(self, timeout_s: float) -> Frame | None:
        """Return the newest frame; see Source.read. Raises SourceError, and RuntimeError when it is not open."""
        if self._pictures is None:
            raise RuntimeError("read() needs open() first")
        picture = self._pictures.read(timeout_s)
        if picture is None:
            return None
        seq = self._counted() - self._counted_at_open
        self.stats.frames += 1
        return Frame(
            seq=seq,
            captured_at=picture.captured_at,
            width_px=picture.width_px,
            height_px=picture.height_px,
            decode=picture.decode,
            decode_for=picture.decode_for,
            decode_luma=picture.decode_luma,
            decode_part=picture.decode_part,
        )

    def close(self) -> None:
        """Hang up. Frames given out stay valid."""
        pictures, self._pictures = self._pictures, None
        if pictures is not None:
            pictures.close()

    def frame_count(self) -> int | None:
        """Nobody knows."""
        return None

    def _counted(self) -> int:
        return self.stats.frames + self.stats.dropped + self.stats.corrupt
