"""The thumbnail of every pixel format shows the same scene as its picture, and the light alone."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from edged.capture.formats import pixel_decoder
from edged.errors import FrameCorrupt
from tests.unit.capture.formats.pictures import Bytes, Layout, as_camera, scene

RAW = ("NV12", "NM12", "YU12", "YM12", "YUYV", "UYVY", "BGR3", "GREY")
SIZES = [(640, 480), (336, 200), (1280, 720)]


def small(image: Bytes, size: tuple[int, int]) -> Bytes:
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("fourcc", [*RAW, "MJPG"])
def test_it_is_an_eighth_of_the_picture_in_grey(fourcc: str, size: tuple[int, int]) -> None:
    width_px, height_px = size
    image, layout = scene(*size), Layout(*size, full_range=True)
    decoder = pixel_decoder(
        fourcc, width_px=width_px, height_px=height_px, stride_bytes=0, full_range=True, bt709=False
    )
    if fourcc == "MJPG":
        planes = [np.asarray(cv2.imencode(".jpg", image)[1], np.uint8).ravel()]
    else:
        planes = as_camera(fourcc, image, layout)

    luma = decoder.luma(planes)

    assert luma.dtype == np.uint8
    assert luma.shape == (height_px // 8, width_px // 8)
    alike = np.corrcoef(luma.ravel(), small(image, luma.shape[::-1]).ravel())[0, 1]
    assert alike > (0.85 if fourcc == "BGR3" else 0.93)  # of BGR it is the green alone
    assert not any(np.shares_memory(luma, plane) for plane in planes), "the driver will fill its memory again"


@pytest.mark.parametrize("fourcc", [*RAW, "MJPG"])
def test_a_frame_that_is_cut_short_is_refused(fourcc: str) -> None:
    decoder = pixel_decoder(fourcc, width_px=64, height_px=48, stride_bytes=0, full_range=True, bt709=False)
    planes = 2 if fourcc == "NM12" else 3 if fourcc == "YM12" else 1
    with pytest.raises(FrameCorrupt):
        decoder.luma([np.zeros(50, np.uint8)] * planes)
