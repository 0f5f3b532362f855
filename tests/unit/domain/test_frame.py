from __future__ import annotations

import numpy as np
import pytest

from edged.domain.frame import BgrImage, Frame


class Picture:
    """Decodes to as many pixels as asked for, and keeps count."""

    def __init__(self) -> None:
        self.whole = self.small = self.parts = self.given_back = 0

    def decode(self) -> BgrImage:
        self.whole += 1
        return np.zeros((60, 80, 3), np.uint8)

    def decode_for(self, width_px: int, height_px: int) -> BgrImage:
        self.small += 1
        return np.zeros((height_px, width_px, 3), np.uint8)

    def decode_part(self, left: int, top: int, right: int, bottom: int) -> BgrImage:
        self.parts += 1
        return np.zeros((bottom - top, right - left, 3), np.uint8)

    def release(self) -> None:
        self.given_back += 1


def frame_of(picture: Picture) -> Frame:
    return Frame(
        seq=1,
        captured_at=2.0,
        width_px=80,
        height_px=60,
        decode=picture.decode,
        decode_for=picture.decode_for,
        decode_part=picture.decode_part,
        release=picture.release,
    )


def test_a_frame_nobody_looks_at_is_never_decoded() -> None:
    picture = Picture()
    frame_of(picture).release()
    assert (picture.whole, picture.small) == (0, 0)


def test_a_frame_that_is_looked_at_small_is_not_decoded_in_full() -> None:
    picture = Picture()
    assert frame_of(picture).image_for(40, 30).shape == (30, 40, 3)
    assert (picture.whole, picture.small) == (0, 1)


def test_what_was_looked_at_can_be_looked_at_again_for_nothing() -> None:
    picture = Picture()
    frame = frame_of(picture)
    assert frame_of(picture).looked_at is None
    small = frame.image_for(40, 30)
    assert frame.looked_at is small
    whole = frame.image()
    assert frame.looked_at is whole
    assert (picture.whole, picture.small) == (1, 1)


@pytest.mark.parametrize("size", [(80, 60), (80, 30), (40, 60), (100, 100)])
def test_a_picture_is_never_scaled_up(size: tuple[int, int]) -> None:
    assert frame_of(Picture()).image_for(*size).shape == (60, 80, 3)


def test_a_decoded_picture_serves_every_later_look() -> None:
    picture = Picture()
    frame = frame_of(picture)
    assert frame.image() is frame.image()
    assert frame.image_for(40, 30) is frame.image()
    assert (picture.whole, picture.small) == (1, 0)


def test_of_a_part_no_more_is_decoded_than_that() -> None:
    picture = Picture()
    assert frame_of(picture).part(10, 20, 40, 60).shape == (40, 30, 3)
    assert (picture.whole, picture.parts) == (0, 1)


def test_a_part_of_a_decoded_picture_is_a_copy_of_it() -> None:
    picture = Picture()
    frame = frame_of(picture)
    whole = frame.image()
    part = frame.part(0, 0, 80, 60)
    part[:] = 1
    assert (picture.whole, picture.parts) == (1, 0)
    assert not whole.any()


def test_a_source_that_can_only_decode_it_all_gives_parts_too() -> None:
    image = np.arange(60 * 80 * 3, dtype=np.uint8).reshape(60, 80, 3)
    np.testing.assert_array_equal(Frame.of(image).part(10, 20, 40, 60), image[20:60, 10:40])


def test_a_thumbnail_is_an_eighth_whatever_the_source_can_do() -> None:
    picture = Picture()
    assert frame_of(picture).luma().shape == (7, 10)
    assert (picture.whole, picture.small) == (0, 1)
    assert Frame.of(np.zeros((60, 80, 3), np.uint8)).luma().shape == (8, 10)


def test_a_frame_is_given_back_once() -> None:
    picture = Picture()
    frame = frame_of(picture)
    image = frame.image()
    frame.release()
    frame.release()
    assert picture.given_back == 1
    assert frame.image() is image


def test_a_frame_that_was_given_back_cannot_be_decoded_any_more() -> None:
    frame = frame_of(Picture())
    frame.release()
    with pytest.raises(RuntimeError, match="given back"):
        frame.image_for(40, 30)


def test_a_picture_in_hand_is_a_frame_of_its_size() -> None:
    image = np.zeros((3, 7, 3), np.uint8)
    frame = Frame.of(image)
    assert (frame.width_px, frame.height_px) == (7, 3)
    assert frame.image_for(2, 1) is image
