"""Decoded video frames to BGR pictures."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

from edged.capture.foreign import FOREIGN
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
        except FOREIGN as error:
            raise FrameCorrupt(
                f"a frame of {frame.width} × {frame.height} in {frame.format.name} cannot be converted: {error}",
                hint="Nothing needs doing unless it happens often; then convert the recording to H.264 in yuv420p.",
            ) from error
        return np.ascontiguousarray(np.rot90(image, quarter_turns(frame)))

    def convert_for(self, frame: av.VideoFrame, width_px: int, height_px: int) -> BgrImage:
        """Return a frame that lies upright in a size of at least `width_px` × `height_px` that costs little.

        Raises FrameCorrupt.
        """
        if not _is_plain(frame):
            return self.convert(frame)
        return _bgr_of_planes(frame, [_samples(plane) for plane in frame.planes], width_px, height_px)

    def part(self, frame: av.VideoFrame, left: int, top: int, right: int, bottom: int) -> BgrImage:
        """Copy a rectangle of a frame that lies upright, which costs as much as it is large. Raises FrameCorrupt."""
        if not _is_plain(frame):
            return np.array(self.convert(frame)[top:bottom, left:right])
        columns, rows = _even(left, right, frame.width), _even(top, bottom, frame.height)
        planes = []
        for samples in map(_samples, frame.planes):
            by_x, by_y = 1 + (samples.shape[1] < frame.width), 1 + (samples.shape[0] < frame.height)
            planes.append(
                samples[rows.start // by_y : -(-rows.stop // by_y), columns.start // by_x : -(-columns.stop // by_x)]
            )
        even = _bgr_of_planes(frame, planes, len(columns), len(rows))
        part = even[top - rows.start : bottom - rows.start, left - columns.start : right - columns.start]
        return np.array(part)

    def luma(self, frame: av.VideoFrame) -> LumaImage:
        """Return the brightness of the picture in about an eighth of its size, upright. Raises FrameCorrupt."""
        if frame.format.name in _LUMA_FIRST:
            return np.ascontiguousarray(np.rot90(thumbnail(_samples(frame.planes[0])), quarter_turns(frame)))
        return thumbnail(self.convert(frame)[:, :, 1])


def _is_plain(frame: av.VideoFrame) -> bool:
    """Say whether the frame lies in three planes whose meaning is known here."""
    return frame.format.name in _PLANAR and frame.colorspace in _MATRICES


def _even(first: int, end: int, size_px: int) -> range:
    """Widen a span so that it begins and ends where a sample of chroma does."""
    return range(first - first % 2, min(end + end % 2, size_px))


def _bgr_of_planes(
    frame: av.VideoFrame, planes: Sequence[npt.NDArray[np.uint8]], width_px: int, height_px: int
) -> BgrImage:
    """Scale planes of a plain frame, or the same piece of each, and convert them."""
    pixel_format = frame.format.name
    full_range = frame.color_range == ColorRange.JPEG or pixel_format.startswith("yuvj")
    colours = _colours(full_range=full_range, bt709=frame.colorspace == Colorspace.ITU709)
    if colours.opencv and pixel_format == "yuv420p":
        return small_bgr_of_420(planes[0], planes[1], planes[2], width_px, height_px)
    return colours.bgr_of_planes(planes, width_px, height_px)


def _samples(plane: Any) -> npt.NDArray[np.uint8]:
    samples: npt.NDArray[np.uint8] = np.ndarray(
        (plane.height, plane.width), np.uint8, plane, strides=(plane.line_size, 1)
    )
    return samples


def quarter_turns(frame: av.VideoFrame) -> int:
    """Count the anticlockwise quarter turns that bring the frame upright, 0..3 (its display matrix)."""
    return round(frame.rotation / 90) % 4
