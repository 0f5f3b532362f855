from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.detect.letterbox import Letterbox, place
from edged.detect.spec import Colour, Resize
from edged.domain.frame import Frame
from edged.errors import FrameCorrupt
from tests.unit.detect.specs import input_spec

SIDES = st.integers(1, 5000)
RESIZES = st.sampled_from(list(Resize))


def _picture(width_px: int, height_px: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).integers(0, 256, (height_px, width_px, 3), np.uint8)


@given(width_px=SIDES, height_px=SIDES, resize=RESIZES, data=st.data())
def test_a_box_survives_the_way_into_the_input_and_back(
    width_px: int, height_px: int, resize: Resize, data: st.DataObject
) -> None:
    placement = place(width_px, height_px, input_spec(320, 256, resize=resize))
    x = sorted(data.draw(st.tuples(*[st.floats(0, width_px)] * 2)))
    y = sorted(data.draw(st.tuples(*[st.floats(0, height_px)] * 2)))
    box = np.array([[x[0], y[0], x[1], y[1]]])
    scale = np.array([placement.scale_x, placement.scale_y] * 2)
    offset = np.array([placement.left_px, placement.top_px] * 2)
    back = placement.to_frame((box * scale + offset).astype(np.float32))
    # float32 holds a position in the input to 3e-5 of a pixel of it
    np.testing.assert_allclose(back, box, atol=6e-5 / scale.min() + 1e-3)


@given(width_px=SIDES, height_px=SIDES, resize=RESIZES)
def test_the_picture_lies_inside_the_input_and_fills_an_axis(width_px: int, height_px: int, resize: Resize) -> None:
    placement = place(width_px, height_px, input_spec(320, 256, resize=resize))
    right, bottom = placement.left_px + placement.drawn_width_px, placement.top_px + placement.drawn_height_px
    assert 0 <= placement.left_px < right <= 320
    assert 0 <= placement.top_px < bottom <= 256
    assert placement.drawn_width_px == 320 or placement.drawn_height_px == 256


@given(resize=RESIZES, boxes=st.lists(st.tuples(*[st.floats(-1e6, 1e6, width=32)] * 4), min_size=1, max_size=5))
def test_boxes_are_cut_to_the_frame(resize: Resize, boxes: list[tuple[float, ...]]) -> None:
    cut = place(100, 50, input_spec(resize=resize)).to_frame(np.array(boxes, np.float32))
    assert cut.dtype == np.float32
    assert (cut >= 0).all()
    assert (cut <= [100, 50, 100, 50]).all()


@pytest.mark.parametrize(
    ("width_px", "height_px", "drawn", "left", "top"),
    [
        # Ultralytics' LetterBox(320) and scale_boxes for these sizes, worked out by hand from their formulas
        (768, 576, (320, 240), 0, 40),
        (810, 1080, (240, 320), 40, 0),
        (1280, 720, (320, 180), 0, 70),
        (500, 375, (320, 240), 0, 40),
        (427, 640, (214, 320), 53, 0),
        (640, 427, (320, 214), 0, 53),
        (641, 480, (320, 240), 0, 40),
        (333, 500, (213, 320), 53, 0),  # 107 pixels of padding: 53 left, 54 right
        (1, 1, (320, 320), 0, 0),
        (4097, 33, (320, 3), 0, 158),
        (5000, 1, (320, 1), 0, 159),
    ],
)
def test_the_geometry_is_that_of_ultralytics(
    width_px: int, height_px: int, drawn: tuple[int, int], left: int, top: int
) -> None:
    placement = place(width_px, height_px, input_spec(320, 320))
    assert (placement.drawn_width_px, placement.drawn_height_px) == drawn
    assert (placement.left_px, placement.top_px) == (left, top)


@pytest.mark.parametrize("resize", list(Resize))
@pytest.mark.parametrize("colour", list(Colour))
@pytest.mark.parametrize("size", [(64, 32), (100, 30), (30, 100), (1, 1), (4097, 33)])
def test_the_blob_holds_the_resized_picture_and_the_padding(
    resize: Resize, colour: Colour, size: tuple[int, int]
) -> None:
    mean, scale = (1.0, 2.0, 3.0), (0.5, 0.25, 0.125)
    spec = input_spec(resize=resize, colour=colour, mean=mean, scale=scale, pad_value=7)
    picture = _picture(*size)
    blob, placement = Letterbox(spec).blob(Frame.of(picture))
    expected = np.full((32, 64, 3), 7, np.uint8)
    rows = slice(placement.top_px, placement.top_px + placement.drawn_height_px)
    columns = slice(placement.left_px, placement.left_px + placement.drawn_width_px)
    expected[rows, columns] = cv2.resize(picture, (placement.drawn_width_px, placement.drawn_height_px))
    if colour is Colour.RGB:
        expected = expected[..., ::-1]
    assert blob.shape == (3, 32, 64)
    assert blob.dtype == np.float32
    assert blob.flags.c_contiguous
    np.testing.assert_allclose(blob, ((expected - np.array(mean)) * scale).transpose(2, 0, 1), atol=1e-5)


def test_pictures_of_different_sizes_in_turn_leave_nothing_of_each_other() -> None:
    spec = input_spec()
    shared = Letterbox(spec)
    for size in [(100, 30), (30, 100), (64, 32), (100, 30), (1, 1)]:
        blob, _ = shared.blob(Frame.of(_picture(*size)))
        np.testing.assert_array_equal(blob, Letterbox(spec).blob(Frame.of(_picture(*size)))[0])


def test_the_blob_reuses_its_memory() -> None:
    letterbox = Letterbox(input_spec())
    assert letterbox.blob(Frame.of(_picture(50, 50)))[0] is letterbox.blob(Frame.of(_picture(50, 50, seed=1)))[0]


def test_a_flipped_or_cropped_view_is_as_good_as_a_copy() -> None:
    picture = _picture(100, 60)
    for view in (picture[::-1], picture[:, ::-1], picture[5:40, 7:90], picture[::2, ::3], picture[:32, :64]):
        from_view = Letterbox(input_spec()).blob(Frame.of(view))[0]
        np.testing.assert_array_equal(from_view, Letterbox(input_spec()).blob(Frame.of(view.copy()))[0])


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((10, 10), np.uint8),
        np.zeros((10, 10, 1), np.uint8),
        np.zeros((10, 10, 4), np.uint8),
        np.zeros((0, 10, 3), np.uint8),
        np.zeros((10, 0, 3), np.uint8),
        np.zeros((10, 10, 3), np.float32),
        np.zeros((1, 10, 10, 3), np.uint8),
    ],
)
def test_what_is_no_colour_picture_is_refused_with_its_shape(wrong: Any) -> None:
    with pytest.raises(FrameCorrupt, match="takes \\(height, width, 3\\) uint8") as caught:
        Letterbox(input_spec()).blob(Frame.of(wrong))
    assert str(wrong.shape) in caught.value.message
