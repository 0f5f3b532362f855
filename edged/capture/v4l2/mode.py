"""What is asked of a camera, and what it answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edged.capture.v4l2 import abi, structures


@dataclass(frozen=True, slots=True)
class WantedMode:
    """What a person asks for; None leaves it to edged."""

    fourcc: str | None = None
    width_px: int | None = None
    height_px: int | None = None
    fps: float | None = None


@dataclass(frozen=True, slots=True)
class Mode:
    """What the driver answered; the only truth about the frames that come."""

    fourcc: str
    width_px: int
    height_px: int
    stride_bytes: int  # of the first plane; 0 for compressed formats
    plane_bytes: tuple[int, ...]  # the largest size of each memory plane
    fps: float | None  # None: the driver does not say
    full_range: bool
    bt709: bool
    interlaced: bool = False  # or something else of which one picture is only a part

    def __str__(self) -> str:
        rate = "" if self.fps is None else f" at {self.fps:g} fps"
        return f"{self.fourcc} {self.width_px} × {self.height_px}{rate}"


def mode_of(answer: Any, *, fps: float | None) -> Mode:
    """Read a structures.Format as the driver filled it in, of a single or multi-planar type."""
    if answer.type == abi.BUF_TYPE_VIDEO_CAPTURE_MPLANE:
        pix = answer.pix_mp
        planes = pix.plane_fmt[: min(max(pix.num_planes, 1), structures.MAX_PLANES)]
        stride_bytes = planes[0].bytesperline
        plane_bytes = tuple(plane.sizeimage for plane in planes)
    else:
        pix = answer.pix
        stride_bytes = pix.bytesperline
        plane_bytes = (pix.sizeimage,)
    return Mode(
        fourcc=abi.fourcc(pix.pixelformat),
        width_px=pix.width,
        height_px=pix.height,
        stride_bytes=stride_bytes,
        plane_bytes=plane_bytes,
        fps=fps,
        full_range=_is_full_range(pix.colorspace, pix.quantization),
        bt709=_is_bt709(pix.colorspace, pix.ycbcr_enc),
        interlaced=pix.field not in (abi.FIELD_ANY, abi.FIELD_NONE),
    )


def _is_full_range(colorspace: int, quantization: int) -> bool:
    """V4L2_MAP_QUANTIZATION_DEFAULT of the header, for YCbCr."""
    if quantization == abi.QUANTIZATION_DEFAULT:
        return colorspace == abi.COLORSPACE_JPEG
    return quantization == abi.QUANTIZATION_FULL_RANGE


def _is_bt709(colorspace: int, matrix: int) -> bool:
    """V4L2_MAP_YCBCR_ENC_DEFAULT of the header; all other matrices are taken for BT.601."""
    if matrix == abi.YCBCR_ENC_DEFAULT:
        return colorspace in (abi.COLORSPACE_REC709, abi.COLORSPACE_DCI_P3)
    return matrix in (abi.YCBCR_ENC_709, abi.YCBCR_ENC_XV709)
