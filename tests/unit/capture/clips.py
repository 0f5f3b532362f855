"""Small recordings for the tests, made on the spot, and a user without rights."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.stream import VideoStream

from edged.domain.frame import BgrImage


def grey_step(seq: int, width_px: int = 64, height_px: int = 48) -> BgrImage:
    """A plain picture whose brightness tells its number, 0..19, through any codec."""
    return np.full((height_px, width_px, 3), 20 + 10 * seq, np.uint8)


def number_of(image: BgrImage) -> int:
    """Read the number back."""
    return round((float(image.mean()) - 20) / 10)


def make_clip(
    path: Path,
    *,
    frames: int = 10,
    size: tuple[int, int] = (64, 48),
    fps: int = 10,
    codec: str = "mpeg4",
    pix_fmt: str = "yuv420p",
    options: dict[str, str] | None = None,
    stamps: Sequence[int] | None = None,
    container_options: dict[str, str] | None = None,
    picture: Callable[[int, int, int], BgrImage] = grey_step,
    prepare: Callable[[VideoStream], object] = lambda stream: None,
) -> Path:
    """Write a clip of numbered pictures; `stamps` are their times in units of 1 / fps."""
    with av.open(str(path), "w", container_options=container_options or {}) as container:
        stream: Any = container.add_stream(codec, rate=fps, options=options or {"bf": "0"})
        stream.width, stream.height = size
        stream.pix_fmt = pix_fmt
        stream.time_base = Fraction(1, fps)
        stream.codec_context.thread_count = 1
        stream.codec_context.bit_rate = 4_000_000  # or the numbers drown in the quantiser
        prepare(stream)
        for seq in range(frames):
            frame = av.VideoFrame.from_ndarray(picture(seq, *size), "bgr24")
            frame.pts = stamps[seq] if stamps else seq
            frame.time_base = Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def make_audio(path: Path, *, cover: bool = False) -> Path:
    """Write half a second of silence, with a picture on the cover if wanted."""
    with av.open(str(path), "w") as container:
        if cover:
            picture: Any = container.add_stream("png", rate=1)
            picture.width, picture.height, picture.pix_fmt = 64, 48, "rgb24"
            picture.disposition = av.stream.Disposition.attached_pic
        stream: Any = container.add_stream("aac", rate=44100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 22050), np.float32), "fltp", "mono")
        frame.rate = 44100
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if cover:
            container.mux(picture.encode(av.VideoFrame.from_ndarray(grey_step(3)[..., ::-1], "rgb24")))
            container.mux(picture.encode(None))
    return path


@contextmanager
def as_nobody() -> Iterator[None]:
    """Be a user without rights for a while, also where the tests run as root."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


def damage_packet(path: Path, index: int) -> None:
    """Overwrite one packet in an AVI file."""
    data = bytearray(path.read_bytes())
    at = [match.end() for match in re.finditer(b"00dc", data) if match.start() > data.index(b"movi")][index]
    size = int.from_bytes(data[at : at + 4], "little")
    data[at + 4 : at + 4 + size] = b"\xff" * size
    path.write_bytes(data)
