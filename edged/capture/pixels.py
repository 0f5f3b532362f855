"""Decoded video frames to BGR pictures."""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

from edged.capture.formats.colour import Colours, small_bgr_of_420
from edged.capture.formats.thumbnail import thumbnail
from edged.domain.frame import BgrImage, LumaImage
from edged.errors import FrameCorrupt

_PLANAR = ("yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p")
_LUMA_FIRST = (*_PLANAR, "nv12", "gray")
_MATRICES = (1, 2, 5, 6)  # BT709, UNSPECIFIED, BT470BG, SMPTE170M of AVColorSpace in libavutil/pixfmt.h

_colours = lru_cache(Colours)


class BgrConverter:
    """Converts frames of any pixel format; keeps the scaler, whose set-up costs more than a small frame.

    Colour matrix and range are those that the frame names; ITU-R BT.601, limited range, where it names none.
    """

    def __init__(self) -> None:
        self._scaler = VideoReformatter()
        self._lock = threading.Lock()  # two frames of one source may be looked at by two threads

    def convert(self, frame: av.VideoFrame) -> BgrImage:
        """Return (H, W, 3) uint8, upright. Raises FrameCorrupt."""
        try:
            with self._lock:  # one thread: waking more costs more than it saves below 4K
                bgr = self._scaler.reformat(frame, format="bgr24", threads=1)
            image = np.asarray(bgr.to_ndarray(), np.uint8)
        except (av.FFmpegError, ValueError, MemoryError) as error:
            raise FrameCorrupt(
                f"a frame of {frame.width} × {frame.height} in {frame.format.name} cannot be converted: {error}",
                hint="Nothing needs doing unless it happens often; then convert the recording to H.264 in yuv420p.",
            ) from error
        return np.ascontiguousarray(np.rot90(image, quarter_turns(frame)))

    def convert_for(self, frame: av.VideoFrame, width_px: int, height_px: int) -> BgrImage:
        """Return the picture in a size of at least `width_px` × `height_px` that costs little. Raises FrameCorrupt."""
        layout, matrix = frame.format.name, frame.colorspace
        if layout not in _PLANAR or matrix not in _MATRICES or quarter_turns(frame):
            return self.convert(frame)
        full_range = frame.color_range == ColorRange.JPEG or layout.startswith("yuvj")
        planes = [_samples(plane) for plane in frame.planes]
        colours = _colours(full_range=full_range, bt709=matrix == Colorspace.ITU709)
        if colours.opencv and layout == "yuv420p":
            return small_bgr_of_420(planes[0], planes[1], planes[2], width_px, height_px)
        return colours.bgr_of_planes(planes, width_px, height_px)

    def luma(self, frame: av.VideoFrame) -> LumaImage:
        """Return the brightness of the picture in about an eighth of its size, upright. Raises FrameCorrupt."""
        if frame.format.name in _LUMA_FIRST:
            return np.ascontiguousarray(np.rot90(thumbnail(_samples(frame.planes[0])), quarter_turns(frame)))
        return thumbnail(self.convert(frame)[:, :, 1])


def _samples(plane: Any) -> npt.NDArray[np.uint8]:
    rows: npt.NDArray[np.uint8] = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
    return rows[: plane.height, : plane.width]


def quarter_turns(frame: av.VideoFrame) -> int:
    """Count the anticlockwise quarter turns that bring the frame upright, 0..3 (its display matrix)."""
    return round(frame.rotation / 90) % 4
