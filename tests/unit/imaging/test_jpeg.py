from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.domain.frame import Frame
from edged.errors import OutputNotWritable
from edged.imaging.jpeg import crop_with_margin, encode_jpeg, shrink


def gradient(width_px: int, height_px: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    across = np.linspace(0, 255, width_px)[None, :, None]
    return np.broadcast_to(across, (height_px, width_px, 3)).astype(np.uint8)


def test_a_jpeg_decodes_to_nearly_the_same_picture() -> None:
    image = gradient(64, 48)
    decoded = cv2.imdecode(np.frombuffer(encode_jpeg(image, quality=85), np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    assert np.abs(np.asarray(decoded).astype(int) - image).max() <= 6


def test_less_quality_is_fewer_bytes() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    assert len(encode_jpeg(noise, quality=30)) < len(encode_jpeg(noise, quality=90))


def test_a_picture_that_jpeg_cannot_hold_is_an_error_with_a_hint() -> None:
    with pytest.raises(OutputNotWritable, match="cannot be written as JPEG") as caught:
        encode_jpeg(np.zeros((1, 70_000, 3), np.uint8), quality=85)
    assert "65500" in caught.value.hint


def test_a_crop_has_a_margin_of_the_larger_side() -> None:
    crop = crop_with_margin(Frame.of(gradient(200, 200)), (80, 60, 100, 100))
    assert crop.shape == (60, 40, 3)  # 10 pixels around 20 × 40


def test_a_crop_at_the_edge_stays_inside_the_picture() -> None:
    assert crop_with_margin(Frame.of(gradient(100, 100)), (-10, -10, 20, 20), margin=0.0).shape == (20, 20, 3)


def test_a_crop_is_a_copy_that_lets_go_of_the_frame() -> None:
    image = gradient(100, 100)
    crop = crop_with_margin(Frame.of(image), (10, 10, 90, 90), margin=0.0)
    assert crop.flags.owndata
    crop[:] = 0
    assert image.max() > 0


def test_a_large_crop_is_scaled_down_without_distortion() -> None:
    assert crop_with_margin(Frame.of(gradient(2000, 1000)), (0, 0, 2000, 1000), max_side_px=480).shape == (240, 480, 3)


def test_a_thin_picture_keeps_at_least_one_pixel() -> None:
    assert shrink(gradient(4097, 1), max_side_px=100).shape == (1, 100, 3)


@given(
    st.tuples(*[st.floats(-1e4, 1e4) for _ in range(4)]),
    st.integers(1, 50),
    st.integers(1, 50),
    st.floats(0, 2),
)
def test_any_box_gives_a_crop_of_at_least_a_pixel(
    xyxy: tuple[float, ...], width_px: int, height_px: int, margin: float
) -> None:
    crop = crop_with_margin(Frame.of(gradient(width_px, height_px)), xyxy, margin=margin, max_side_px=20)
    assert crop.ndim == 3
    assert 1 <= min(crop.shape[:2]) <= max(crop.shape[:2]) <= 20
    assert crop.flags.c_contiguous
