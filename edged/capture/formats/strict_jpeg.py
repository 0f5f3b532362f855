"""FFmpeg as a JPEG decoder: slower than libjpeg-turbo, but every fault that it finds is an error, and it is silent.

Source: libavcodec's options lowres, err_detect and max_pixels.
"""

from __future__ import annotations

import threading
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from av.video.codeccontext import VideoCodecContext

from edged.capture.foreign import FOREIGN
from edged.capture.formats.colour import Colours
from edged.domain.frame import BgrImage

_COLOURS = Colours(full_range=True, bt709=False)
_REDUCTIONS = (3, 2, 0)  # halvings; a single one would cost more than it saves, its inverse transform being plain C
_THREE_PLANES = ("yuv4", "yuvj4")  # yuva444p has four: these are inks
_PADDING_PX = 128  # what the decoder's buffers may have beside the picture


class StrictJpegDecoder:
    """Decodes whatever JPEG a camera may send: progressive, with restart markers, in other colours."""

    def __init__(self, *, width_px: int, height_px: int) -> None:
        self._width_px = width_px
        self._height_px = height_px
        self._contexts: dict[int, VideoCodecContext] = {}
        self._lock = threading.Lock()  # a detector and somebody who wants a snapshot may ask at once

    def decode_for(self, data: bytes, width_px: int, height_px: int) -> BgrImage | None:
        """Return the scene scaled to exactly that size, which is not above its own; None when it is damaged."""
        halvings = next(
            step for step in _REDUCTIONS if self._width_px >> step >= width_px and self._height_px >> step >= height_px
        )
        with self._lock:
            frame = self._decoded(data, halvings)
            if frame is None:
                self._contexts.clear()  # the tables of a damaged frame must not serve the next
                return None
        try:
            return _bgr(frame, width_px, height_px)
        except FOREIGN:  # of colours that FFmpeg decodes and cannot convert
            return None

    def _decoded(self, data: bytes, halvings: int) -> av.VideoFrame | None:
        try:
            frames = self._context(halvings).decode(av.Packet(data))
        except FOREIGN:
            return None
        expected = [(-(-self._width_px >> halvings), -(-self._height_px >> halvings))]
        if [(frame.width, frame.height) for frame in frames] != expected or frames[0].is_corrupt:
            return None
        return frames[0]

    def _context(self, halvings: int) -> VideoCodecContext:
        context: Any = self._contexts.get(halvings)
        if context is None:
            context = self._contexts[halvings] = av.CodecContext.create("mjpeg", "r")
            context.thread_count = 1
            context.options = {
                "lowres": str(halvings),
                "err_detect": "explode",
                "max_pixels": str((self._width_px + _PADDING_PX) * (self._height_px + _PADDING_PX)),
            }
        opened: VideoCodecContext = context
        return opened


def _bgr(frame: av.VideoFrame, width_px: int, height_px: int) -> BgrImage:
    name = frame.format.name
    if name == "gray" or (name.startswith(_THREE_PLANES) and frame.format.components[0].bits == 8):
        luma, *chroma = (_samples(plane) for plane in frame.planes)
        grey = np.full((1, 1), 128, np.uint8)
        return _COLOURS.bgr_of_planes([luma, *(chroma or (grey, grey))], width_px, height_px)
    return np.asarray(frame.reformat(width_px, height_px, "bgr24").to_ndarray(), np.uint8)


def _samples(plane: Any) -> npt.NDArray[np.uint8]:
    samples: npt.NDArray[np.uint8] = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
    return samples[: plane.height, : plane.width]
