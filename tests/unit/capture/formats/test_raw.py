from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edged.capture.formats import SUPPORTED, PixelDecoder, pixel_decoder
from edged.errors import FrameCorrupt
from tests.unit.capture.formats.pictures import Bytes, Layout, as_camera, scene

RAW = [fourcc for fourcc in SUPPORTED if fourcc not in ("MJPG", "JPEG")]
COLOURED = [fourcc for fourcc in RAW if fourcc != "GREY"]
SUBSAMPLED = [fourcc for fourcc in COLOURED if fourcc != "BGR3"]
MEANINGS = [(full_range, bt709) for full_range in (False, True) for bt709 in (False, True)]


def decoder(fourcc: str, layout: Layout) -> PixelDecoder:
    return pixel_decoder(
        fourcc,
        width_px=layout.width_px,
        height_px=layout.height_px,
        stride_bytes=layout.stride_bytes,
        full_range=layout.full_range,
        bt709=layout.bt709,
    )


def resized(image: npt.NDArray[Any], width_px: int, height_px: int) -> npt.NDArray[Any]:
    return np.asarray(cv2.resize(image, (width_px, height_px), interpolation=cv2.INTER_LINEAR))


def mean_difference(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> float:
    assert one.shape == other.shape
    return float(np.abs(one.astype(float) - other).mean())


def assert_is_bgr_image(image: Bytes, planes: list[Bytes]) -> None:
    assert image.dtype == np.uint8
    assert image.flags.c_contiguous
    assert image.flags.writeable
    assert not any(np.shares_memory(image, plane) for plane in planes)


@pytest.mark.parametrize(("full_range", "bt709"), MEANINGS)
@pytest.mark.parametrize("fourcc", COLOURED)
def test_colours_come_out_as_the_standards_put_them_in(fourcc: str, full_range: bool, bt709: bool) -> None:
    layout = Layout(160, 120, full_range=full_range, bt709=bt709)
    # chroma is given in half the size: no fine colours
    image = np.asarray(cv2.GaussianBlur(scene(160, 120), (0, 0), 4), np.uint8)
    planes = as_camera(fourcc, image, layout)
    whole = decoder(fourcc, layout).decode(planes)
    assert_is_bgr_image(whole, planes)
    assert mean_difference(whole, image) < 1.0
    assert np.abs(whole.astype(int) - image).max() <= 12


@pytest.mark.parametrize("size", [(160, 120), (100, 100), (64, 48), (319, 239), (320, 120), (1, 1)])
@pytest.mark.parametrize(("full_range", "bt709"), MEANINGS)
@pytest.mark.parametrize("fourcc", SUBSAMPLED)
def test_a_small_picture_is_as_true_as_the_whole_one_scaled(
    fourcc: str, full_range: bool, bt709: bool, size: tuple[int, int]
) -> None:
    layout = Layout(320, 240, full_range=full_range, bt709=bt709)
    planes, truth = as_camera(fourcc, scene(320, 240), layout), scene(320, 240).astype(np.float32)
    part = decoder(fourcc, layout)
    whole = part.decode(planes)
    if fourcc in ("YUYV", "UYVY") and size[0] <= 160:  # the two lumas of a pair are one pixel then
        truth, whole = resized(truth, 160, 240), resized(whole, 160, 240)
    small = part.decode_for(planes, *size)
    assert_is_bgr_image(small, planes)
    truth = resized(truth, *size)
    assert mean_difference(small, truth) <= mean_difference(resized(whole, *size), truth) + 0.5


def test_what_needs_no_conversion_is_scaled_and_no_more() -> None:
    layout = Layout(320, 240)
    planes = as_camera("BGR3", scene(320, 240), layout)
    part = decoder("BGR3", layout)
    whole, small = part.decode(planes), part.decode_for(planes, 100, 70)
    assert_is_bgr_image(whole, planes)
    assert_is_bgr_image(small, planes)
    assert np.array_equal(small, resized(whole, 100, 70))


def test_grey_is_scaled_as_the_one_channel_that_it_is() -> None:
    layout = Layout(320, 240)
    planes = as_camera("GREY", scene(320, 240), layout)
    small = decoder("GREY", layout).decode_for(planes, 100, 70)
    assert_is_bgr_image(small, planes)
    assert np.array_equal(small, np.dstack([resized(planes[0].reshape(240, 320), 100, 70)] * 3))


def test_grey_is_passed_on_as_the_sensor_gave_it() -> None:
    grey = np.arange(256, dtype=np.uint8)
    whole = decoder("GREY", Layout(16, 16)).decode([grey])
    assert np.array_equal(whole, np.dstack([grey.reshape(16, 16)] * 3))


@pytest.mark.parametrize("colour", [(250, 100, 100), (240, 240, 240)], ids=["chroma", "luma"])
@pytest.mark.parametrize("shown", [320, 160, 120])
@pytest.mark.parametrize("fourcc", SUBSAMPLED)
def test_colours_and_edges_stay_where_they_are(fourcc: str, shown: int, colour: tuple[int, int, int]) -> None:
    drawn = np.full((320, 320, 3), 100, np.uint8)
    cv2.circle(drawn, (140, 180), 40, colour, -1, cv2.LINE_AA)
    image = np.asarray(cv2.GaussianBlur(drawn, (0, 0), 5), np.uint8)
    layout = Layout(320, 320)
    small = decoder(fourcc, layout).decode_for(as_camera(fourcc, image, layout), shown, shown)
    weight = np.abs(small[..., 0].astype(float) - 100)  # of blue
    rows, columns = np.indices(weight.shape) + 0.5
    centre = np.array([(weight * columns).sum(), (weight * rows).sum()]) / weight.sum() * 320 / shown
    assert np.abs(centre - (140.5, 180.5)).max() < 0.25, f"{centre} in pixels of the whole picture"


@settings(max_examples=60, deadline=None)
@given(
    fourcc=st.sampled_from(RAW),
    width_px=st.integers(1, 40),
    height_px=st.integers(1, 40),
    padding=st.integers(0, 9),
    wanted=st.tuples(st.integers(1, 50), st.integers(1, 50)),
)
def test_any_size_and_any_padding_of_rows_gives_the_picture(
    fourcc: str, width_px: int, height_px: int, padding: int, wanted: tuple[int, int]
) -> None:
    colour = np.array([60, 120, 180], np.uint8)
    image = np.broadcast_to(colour, (height_px, width_px, 3)).copy()
    tight = as_camera(fourcc, image, Layout(width_px, height_px))
    row_bytes = {"BGR3": 3 * width_px, "YUYV": 4 * -(-width_px // 2), "UYVY": 4 * -(-width_px // 2)}.get(
        fourcc, width_px + width_px % 2
    )
    layout = Layout(width_px, height_px, stride_bytes=row_bytes + padding)
    padded = as_camera(fourcc, image, layout)
    whole = decoder(fourcc, layout).decode(padded)
    if not (fourcc in ("YU12", "YM12", "GREY") and width_px % 2):  # their rows need no even length
        assert np.array_equal(whole, decoder(fourcc, Layout(width_px, height_px)).decode(tight))
    small = decoder(fourcc, layout).decode_for(padded, *wanted)
    assert small.shape == (min(wanted[1], height_px), min(wanted[0], width_px), 3)
    expected = colour if fourcc != "GREY" else whole[0, 0]
    assert np.abs(whole.astype(int) - expected).max() <= 3
    assert np.abs(small.astype(int) - expected).max() <= 3


@pytest.mark.parametrize("fourcc", RAW)
def test_a_picture_cut_short_says_how_many_bytes_came(fourcc: str) -> None:
    layout = Layout(64, 48)
    *others, last = as_camera(fourcc, scene(64, 48), layout)
    with pytest.raises(FrameCorrupt, match=rf"gave {last.size - 1} bytes of a frame that has {last.size}"):
        decoder(fourcc, layout).decode([*others, last[:-1]])
    with pytest.raises(FrameCorrupt, match="gave 0 bytes"):
        decoder(fourcc, layout).decode_for([last[:0]] * (len(others) + 1), 32, 24)


@pytest.mark.parametrize("fourcc", RAW)
def test_what_a_driver_fills_in_behind_the_picture_does_not_matter(fourcc: str) -> None:
    layout = Layout(64, 48)
    planes = as_camera(fourcc, scene(64, 48), layout)
    longer = [np.concatenate([plane, np.full(500, 77, np.uint8)]) for plane in planes]
    part = decoder(fourcc, layout)
    assert np.array_equal(part.decode(longer), part.decode(planes))


@pytest.mark.parametrize("fourcc", RAW)
def test_the_padding_of_the_last_row_may_be_missing(fourcc: str) -> None:
    layout = Layout(64, 48, stride_bytes=256)
    planes = as_camera(fourcc, scene(64, 48), layout)
    part = decoder(fourcc, layout)
    assert np.array_equal(part.decode([*planes[:-1], planes[-1][:-60]]), part.decode(planes))


@pytest.mark.parametrize("fourcc", RAW)
def test_a_frame_in_too_few_or_too_many_memory_planes_is_refused(fourcc: str) -> None:
    layout = Layout(64, 48)
    planes = as_camera(fourcc, scene(64, 48), layout)
    for wrong in (planes[1:], [*planes, planes[0]]):
        with pytest.raises(FrameCorrupt, match="memory planes"):
            decoder(fourcc, layout).decode(wrong)


@pytest.mark.parametrize("fourcc", RAW)
def test_a_driver_that_gives_no_length_of_rows_means_rows_without_padding(fourcc: str) -> None:
    layout = Layout(64, 48)
    planes = as_camera(fourcc, scene(64, 48), layout)
    counts_pixels = decoder(fourcc, Layout(64, 48, stride_bytes=64))
    assert np.array_equal(counts_pixels.decode(planes), decoder(fourcc, layout).decode(planes))


def test_a_format_that_nobody_knows_is_a_mistake_in_the_program() -> None:
    with pytest.raises(ValueError, match="'H264' is none of NV12"):
        decoder("H264", Layout(64, 48))
