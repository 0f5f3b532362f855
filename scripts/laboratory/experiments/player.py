"""Plays moving pictures as JPEGs into a v4l2loopback device, until it is ended.

python -m scripts.laboratory.experiments.player DEVICE [--size 640x480] [--fps 25]
"""

from __future__ import annotations

import argparse
import fcntl
import itertools
import os
import struct
import threading
from pathlib import Path

import cv2
import numpy as np

from edged.clock import SystemClock

# include/uapi/linux/videodev2.h
_VIDIOC_S_FMT = 0xC0D05605  # _IOWR('V', 5, struct v4l2_format)
_BUF_TYPE_VIDEO_OUTPUT = 2
_FIELD_NONE = 1
_FORMAT_BYTES = 208  # struct v4l2_format on a 64-bit machine: the type, padding, and a union of 200 bytes


def set_format(device: int, width_px: int, height_px: int) -> None:
    """Declare JPEGs of this size."""
    room = width_px * height_px * 2
    head = struct.pack("I4xII4sIII", _BUF_TYPE_VIDEO_OUTPUT, width_px, height_px, b"MJPG", _FIELD_NONE, 0, room)
    fcntl.ioctl(device, _VIDIOC_S_FMT, bytearray(head.ljust(_FORMAT_BYTES, b"\0")))


def picture(number: int, width_px: int, height_px: int) -> bytes:
    """Draw a bright square that moves over a slope of grey, as a JPEG."""
    image = np.tile(np.linspace(0, 160, width_px, dtype=np.uint8)[None, :, None], (height_px, 1, 3))
    side = height_px // 4
    left = number * 8 % (width_px - side)
    image[side : 2 * side, left : left + side] = (60, 200, 255)
    done, jpeg = cv2.imencode(".jpg", image)
    assert done
    return jpeg.tobytes()


def main() -> None:
    """Play."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("device", type=Path)
    options.add_argument("--size", default="640x480")
    options.add_argument("--fps", type=float, default=25.0)
    given = options.parse_args()
    width_px, height_px = (int(length) for length in given.size.split("x"))
    clock, never = SystemClock(), threading.Event()
    pictures = [picture(number, width_px, height_px) for number in range(16)]
    device = os.open(given.device, os.O_RDWR)
    set_format(device, width_px, height_px)
    began = clock.monotonic()
    for number in itertools.count():
        clock.wait(never, max(0.0, began + number / given.fps - clock.monotonic()))
        os.write(device, pictures[number % len(pictures)])


if __name__ == "__main__":
    main()
