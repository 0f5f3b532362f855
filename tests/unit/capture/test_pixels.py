"""A small picture of a decoded frame shows what the whole one does, whatever its pixels mean."""

from __future__ import annotations

from typing import Any

import av
import cv2
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace

from edged.capture.pixels import BgrConverter
from edged.domain.frame import BgrImage


def _scene() -> BgrImage:
    x, y = np.meshgrid(np.linspace(0, 4, 320), np.linspace(0, 3, 240))
    return np.stack([128 + 100 * np.sin(x + k) * np.cos(y - k) for k in range(3)], axis=2).astype(np.uint8)


def _frame(pix_fmt: str, matrix: Colorspace, levels: ColorRange) -> av.VideoFrame:
    bgr = av.VideoFrame.from_ndarray(_scene(), "bgr24")
    frame = bgr.reformat(format=pix_fmt, dst_colorspace=matrix, dst_color_range=levels)
    frame.colorspace, frame.color_range = matrix, levels
    return frame


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv422p", "yuv444p", "nv12"])
@pytest.mark.parametrize("matrix", [Colorspace.ITU709, Colorspace.ITU601])
@pytest.mark.parametrize("levels", [ColorRange.MPEG, ColorRange.JPEG])
def test_colours_are_those_that_the_frame_names(pix_fmt: str, matrix: Colorspace, levels: ColorRange) -> None:
    image = BgrConverter().convert_for(_frame(pix_fmt, matrix, levels), 160, 120)
    shown: Any = cv2.resize(image, (160, 120), interpolation=cv2.INTER_LINEAR)
    expected: Any = cv2.resize(_scene(), (160, 120), interpolation=cv2.INTER_LINEAR)
    assert np.abs(shown.astype(int) - expected).mean() < 1.5
    assert np.abs(shown.astype(int) - expected).max() <= 12


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuvj422p", "yuv444p"])
def test_planar_pictures_are_made_small_before_they_are_converted(pix_fmt: str) -> None:
    image = BgrConverter().convert_for(_frame(pix_fmt, Colorspace.ITU601, ColorRange.MPEG), 100, 75)
    assert image.shape == (75, 100, 3)


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuvj420p", "yuv422p", "yuv444p", "nv12"])
@pytest.mark.parametrize("matrix", [Colorspace.ITU709, Colorspace.ITU601])
@pytest.mark.parametrize(
    "rectangle", [(0, 0, 320, 240), (100, 50, 180, 110), (101, 51, 180, 111), (319, 239, 320, 240)]
)
def test_a_part_shows_what_the_whole_picture_does(
    pix_fmt: str, matrix: Colorspace, rectangle: tuple[int, int, int, int]
) -> None:
    frame = _frame(pix_fmt, matrix, ColorRange.MPEG)
    left, top, right, bottom = rectangle
    part = BgrConverter().part(frame, *rectangle)
    expected = BgrConverter().convert(frame)[top:bottom, left:right]
    assert part.shape == expected.shape
    assert part.flags.owndata
    assert np.abs(part.astype(int) - expected).mean() < 3
    assert np.abs(part.astype(int) - expected).max() <= 14


def test_a_part_of_a_picture_of_an_odd_size_may_reach_to_its_last_row_and_column() -> None:
    odd = av.VideoFrame.from_ndarray(np.ascontiguousarray(_scene()[:33, :71]), "bgr24").reformat(format="yuv420p")
    part = BgrConverter().part(odd, 60, 20, 71, 33)
    expected = BgrConverter().convert(odd)[20:33, 60:71]
    assert part.shape == (13, 11, 3)
    assert np.abs(part.astype(int) - expected).mean() < 3
