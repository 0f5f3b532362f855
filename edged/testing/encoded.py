"""Compressed pictures whose brightness tells their number, for the network cameras of the tests."""

from __future__ import annotations

import io
import re
from fractions import Fraction
from typing import Any

import av
import cv2
import numpy as np

from edged.domain.frame import BgrImage

SIZE = (64, 48)
NUMBERS = 20
"""Pictures are numbered 0..19; then the numbers begin again."""


def numbered(seq: int, size: tuple[int, int] = SIZE, *, noise: bool = False) -> BgrImage:
    """Draw a plain grey picture that keeps its number through any codec; noise makes it large when compressed."""
    width_px, height_px = size
    image = np.full((height_px, width_px, 3), 20 + 10 * (seq % NUMBERS), np.uint8)
    if noise:
        image += np.random.default_rng(seq).integers(0, 40, image.shape, np.uint8)
    return image


def number_in(image: BgrImage) -> int:
    """Read the number back."""
    return round((float(image.mean()) - 20) / 10)


def jpeg(seq: int, size: tuple[int, int] = SIZE) -> bytes:
    """One numbered picture as JPEG."""
    done, data = cv2.imencode(".jpg", numbered(seq, size))
    assert done
    return bytes(data)


class H264Encoder:
    """Encodes numbered pictures without delay: a packet a picture."""

    def __init__(
        self, *, fps: int = 10, key_every: int = 10, size: tuple[int, int] = SIZE, noise: bool = False
    ) -> None:
        self.fps = fps
        self._size = size
        self._noise = noise
        self._context: Any = av.CodecContext.create("libx264", "w")
        self._context.width, self._context.height = size
        self._context.pix_fmt = "yuv420p"
        self._context.time_base = Fraction(1, fps)
        self._context.thread_count = 1
        self._context.options = {
            "preset": "ultrafast",
            "tune": "zerolatency",
            "x264-params": f"keyint={key_every}:min-keyint={key_every}:scenecut=0:repeat-headers=1:log-level=none",
        }
        self._seq = 0

    def next_picture(self) -> list[bytes]:
        """Encode the next picture; return its NAL units, parameter sets in front of a key picture."""
        frame = av.VideoFrame.from_ndarray(numbered(self._seq, self._size, noise=self._noise), "bgr24")
        frame.pts, frame.time_base = self._seq, Fraction(1, self.fps)
        self._seq += 1
        data = b"".join(bytes(packet) for packet in self._context.encode(frame))
        return [unit for unit in re.split(rb"\x00\x00\x00?\x01", data) if unit]


class MpegTs:
    """Muxes numbered pictures into an MPEG transport stream, a few packets at a time."""

    def __init__(self, *, fps: int = 10, key_every: int = 10, codec: str = "libx264") -> None:
        self._out = io.BytesIO()
        self._container = av.open(self._out, "w", format="mpegts", options={"flush_packets": "1"})
        options = {"preset": "ultrafast", "tune": "zerolatency"} if codec == "libx264" else {"bf": "0"}
        stream: Any = self._container.add_stream(codec, rate=fps, options=options)
        self._stream = stream
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        stream.codec_context.gop_size = key_every
        stream.codec_context.thread_count = 1
        stream.codec_context.time_base = Fraction(1, fps)
        self._fps = fps
        self._seq = 0

    def next_picture(self) -> bytes:
        """Return the transport packets that carry the next picture."""
        frame = av.VideoFrame.from_ndarray(numbered(self._seq), "bgr24")
        frame.pts, frame.time_base = self._seq, Fraction(1, self._fps)
        self._seq += 1
        self._container.mux(self._stream.encode(frame))
        data = self._out.getvalue()
        self._out.seek(0)
        self._out.truncate()
        return data
