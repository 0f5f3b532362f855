from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.capture.formats.colour import small_bgr_of_420


def _planes(width_px: int, height_px: int, *, padding_px: int = 0) -> tuple[list[Any], Any]:
    """A smooth colourful picture as Y, U and V, and as BGR."""
    x, y = np.meshgrid(np.linspace(0, 4, width_px), np.linspace(0, 3, height_px))
    bgr = np.stack([128 + 90 * np.sin(x + k) * np.cos(y - k) for k in range(3)], axis=2).astype(np.uint8)
    i420 = cv2.cvtColor(bgr, cv2.COLOR_BGR2YUV_I420)
    luma, chroma = i420[:height_px], i420[height_px:].reshape(2, height_px // 2, width_px // 2)
    padded = [np.pad(plane, ((0, 0), (0, padding_px)))[:, : plane.shape[1]] for plane in (luma, *chroma)]
    return padded, cv2.cvtColor(i420, cv2.COLOR_YUV2BGR_I420)


@pytest.mark.parametrize("size", [(320, 240), (319, 239), (161, 100), (640, 478)])
@pytest.mark.parametrize("padding_px", [0, 32])
def test_a_small_picture_equals_the_whole_one_scaled(size: tuple[int, int], padding_px: int) -> None:
    planes, whole = _planes(640, 480, padding_px=padding_px)
    small = small_bgr_of_420(planes[0], planes[1], planes[2], *size)
    expected: Any = cv2.resize(whole, size, interpolation=cv2.INTER_LINEAR)
    assert np.abs(small.astype(int) - expected).mean() < 1.0
    assert np.abs(small.astype(int) - expected).max() <= 6


@given(st.integers(1, 50), st.integers(1, 50), st.integers(2, 60), st.integers(2, 60))
def test_any_size_comes_out_as_asked(width_px: int, height_px: int, source_w: int, source_h: int) -> None:
    y = np.full((source_h, source_w), 128, np.uint8)
    u = v = np.full(((source_h + 1) // 2, (source_w + 1) // 2), 128, np.uint8)
    small = small_bgr_of_420(y, u, v, width_px, height_px)
    assert small.shape == (height_px, width_px, 3)
    assert small.dtype == np.uint8
    assert set(np.unique(small)) <= {130, 131}  # (128 - 16) × 255 / 219: grey
