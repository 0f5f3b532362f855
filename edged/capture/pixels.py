"""Decoded video frames to BGR pictures."""

from __future__ import annotations

import threading

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from edged.domain.frame import BgrImage
from edged.errors import FrameCorrupt


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


def quarter_turns(frame: av.VideoFrame) -> int:
    """Count the anticlockwise quarter turns that bring the frame upright, 0..3 (its display matrix)."""
    return round(frame.rotation / 90) % 4
