"""What a camera that never was writes into its buffers: plain pictures whose brightness tells their number."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

GREYS = 20
"""So many brightnesses follow each other."""


def grey_of(seq: int) -> int:
    """Return the luma of picture `seq`, 20 to 210."""
    return 20 + 10 * (seq % GREYS)


@dataclass(frozen=True)
class PictureLayout:
    """How a picture lies in memory; the names are fourccs of linux/videodev2.h."""

    fourcc: str
    width_px: int
    height_px: int
    padding_bytes: int = 0  # of black behind each row, in formats of one plane and one kind of row

    @property
    def stride_bytes(self) -> int:
        """`bytesperline` of the first plane, 0 for compressed formats."""
        match self.fourcc:
            case "MJPG" | "JPEG":
                return 0
            case "YUYV" | "UYVY":
                return 2 * self.width_px + self.padding_bytes
            case "BGR3":
                return 3 * self.width_px + self.padding_bytes
            case "GREY":
                return self.width_px + self.padding_bytes
        return self.width_px

    @property
    def plane_bytes(self) -> list[int]:
        """The largest size of each memory plane."""
        pixels = self.width_px * self.height_px
        match self.fourcc:
            case "MJPG" | "JPEG":
                return [2 * pixels + 4096]
            case "NV12" | "YU12":
                return [pixels * 3 // 2]
            case "NM12":
                return [pixels, pixels // 2]
            case "YM12":
                return [pixels, pixels // 4, pixels // 4]
        return [self.stride_bytes * self.height_px]

    def paint(self, seq: int) -> list[bytes]:
        """Make picture `seq`: the bytes of each memory plane."""
        grey, size = grey_of(seq), self.plane_bytes
        match self.fourcc:
            case "MJPG" | "JPEG":
                _, jpeg = cv2.imencode(".jpg", np.full((self.height_px, self.width_px, 3), grey, np.uint8))
                return [jpeg.tobytes()]
            case "NV12" | "YU12":
                luma = self.width_px * self.height_px
                return [bytes([grey]) * luma + bytes([128]) * (size[0] - luma)]
            case "NM12" | "YM12":
                return [bytes([grey]) * size[0], *(bytes([128]) * chroma for chroma in size[1:])]
            case "YUYV":
                row = bytes([grey, 128]) * self.width_px
            case "UYVY":
                row = bytes([128, grey]) * self.width_px
            case _:
                row = bytes([grey]) * (self.stride_bytes - self.padding_bytes)
        return [(row + bytes(self.padding_bytes)) * self.height_px]
