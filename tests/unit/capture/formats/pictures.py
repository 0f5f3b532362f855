"""Pictures as cameras give them, made here: colours by the formulas of the standards, not by the code under test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Samples = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Layout:
    """What a driver answers to VIDIOC_S_FMT, as far as pixels go."""

    width_px: int
    height_px: int
    stride_bytes: int = 0
    full_range: bool = False
    bt709: bool = False


def scene(width_px: int, height_px: int) -> Bytes:
    """Sky, ground, things with edges and writing, and a little noise: (H, W, 3) BGR."""
    rng = np.random.default_rng(width_px)
    image: npt.NDArray[Any] = np.empty((480, 640, 3), np.uint8)
    image[:] = np.linspace((230, 190, 150), (60, 90, 80), 480)[:, None]
    for _ in range(25):
        x, y = (int(at) for at in rng.integers((0, 0), (600, 420)))
        colour = tuple(float(part) for part in rng.integers(20, 236, 3))
        cv2.rectangle(image, (x, y), (x + 70, y + 50), colour, -1)
        cv2.circle(image, (y, x), 25, colour[::-1], -1, cv2.LINE_AA)
    cv2.putText(image, "edged 0123", (40, 300), cv2.FONT_HERSHEY_SIMPLEX, 3, (240, 240, 240), 6, cv2.LINE_AA)
    image = cv2.resize(cv2.GaussianBlur(image, (0, 0), 1.5), (width_px, height_px), interpolation=cv2.INTER_AREA)
    return np.asarray(np.clip(image + rng.normal(0, 2, image.shape), 0, 255), np.uint8)


def y_cb_cr(image: Bytes, layout: Layout) -> list[Samples]:
    """Return the three planes in full size (ITU-R BT.601-7 and BT.709-6, section 3; JFIF 1.02 for the full range)."""
    blue, green, red = (image[..., channel].astype(np.float64) for channel in range(3))
    of_red, of_blue = (0.2126, 0.0722) if layout.bt709 else (0.299, 0.114)
    luma = of_red * red + (1 - of_red - of_blue) * green + of_blue * blue
    cb, cr = (blue - luma) / (2 - 2 * of_blue), (red - luma) / (2 - 2 * of_red)
    if layout.full_range:
        return [luma, 128 + cb, 128 + cr]
    return [16 + luma * 219 / 255, 128 + cb * 224 / 255, 128 + cr * 224 / 255]


def as_camera(fourcc: str, image: Bytes, layout: Layout) -> list[Bytes]:
    """Lay a picture out in memory planes, rows padded with rubbish up to the stride; read-only, as a driver's are."""
    if fourcc == "BGR3":
        return _read_only([_padded(image.reshape(layout.height_px, -1), layout.stride_bytes)])
    luma, cb, cr = y_cb_cr(image, layout)
    if fourcc == "GREY":
        return _read_only([_padded(_byte(luma), layout.stride_bytes)])
    if fourcc in ("YUYV", "UYVY"):
        return _read_only([_padded(_packed(fourcc, luma, cb, cr), layout.stride_bytes)])
    cb, cr = _mean_of_four(cb), _mean_of_four(cr)
    stride = layout.stride_bytes
    if fourcc in ("NV12", "NM12"):
        both = np.dstack([cb, cr]).reshape(len(cb), -1)
        planes = [_padded(_byte(luma), stride or both.shape[1]), _padded(_byte(both), stride)]
    else:
        planes = [_padded(_byte(luma), stride)] + [_padded(_byte(part), (stride + 1) // 2) for part in (cb, cr)]
    return _read_only(planes if fourcc in ("NM12", "YM12") else [np.concatenate(planes)])


def _packed(fourcc: str, luma: Samples, cb: Samples, cr: Samples) -> Bytes:
    even = [_even(plane, axis=1) for plane in (luma, cb, cr)]
    first, second = even[0][:, ::2], even[0][:, 1::2]
    u, v = ((plane[:, ::2] + plane[:, 1::2]) / 2 for plane in even[1:])
    order = (first, u, second, v) if fourcc == "YUYV" else (u, first, v, second)
    return _byte(np.dstack(order).reshape(len(first), -1))


def _mean_of_four(plane: Samples) -> Samples:
    even = _even(_even(plane, axis=0), axis=1)
    return np.asarray((even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]) / 4)


def _even(plane: Samples, *, axis: int) -> Samples:
    odd = plane.shape[axis] % 2
    return np.pad(plane, [(0, odd if side == axis else 0) for side in range(2)], mode="edge")


def _byte(plane: Samples) -> Bytes:
    return np.clip(np.rint(plane), 0, 255).astype(np.uint8)


def _padded(samples: Bytes, stride_bytes: int) -> Bytes:
    rubbish = max(0, stride_bytes - samples.shape[1])
    return np.pad(samples, ((0, 0), (0, rubbish)), constant_values=99).reshape(-1)


def _read_only(planes: list[Bytes]) -> list[Bytes]:
    for plane in planes:
        plane.flags.writeable = False
    return planes
