from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.capture.image_size import image_size


def encoded(suffix: str, width_px: int, height_px: int, *options: int) -> bytes:
    image = np.random.default_rng(0).integers(0, 255, (height_px, width_px, 3), dtype=np.uint8)
    return bytes(cv2.imencode(suffix, image, list(options))[1].tobytes())


@pytest.mark.parametrize(
    ("suffix", "options"),
    [
        (".png", ()),
        (".bmp", ()),
        (".jpg", ()),
        (".jpg", (cv2.IMWRITE_JPEG_PROGRESSIVE, 1)),
        (".webp", (cv2.IMWRITE_WEBP_QUALITY, 80)),
        (".webp", (cv2.IMWRITE_WEBP_QUALITY, 101)),  # lossless
    ],
)
@pytest.mark.parametrize("size", [(1, 1), (300, 17), (17, 300)])
def test_the_size_of_every_format_is_read(suffix: str, options: tuple[int, ...], size: tuple[int, int]) -> None:
    assert image_size(encoded(suffix, *size, *options)) == size


def test_the_canvas_of_an_extended_webp_is_read() -> None:
    header = b"RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00"
    assert image_size(header + (69_999).to_bytes(3, "little") + (9).to_bytes(3, "little")) == (70_000, 10)


def test_a_bmp_of_the_oldest_kind_is_read() -> None:
    assert image_size(b"BM" + bytes(12) + (12).to_bytes(4, "little") + b"\x07\x00\x05\x00") == (7, 5)


def test_a_png_whose_piece_claims_gigabytes_gives_none() -> None:
    data = bytearray(encoded(".png", 30, 20))
    data[33] = 0x99  # the length of the second chunk
    assert image_size(bytes(data)) is None


@given(
    st.binary(max_size=64)
    | st.sampled_from([b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"BM"]).flatmap(
        lambda magic: st.binary(max_size=64).map(lambda rest: magic + rest)
    )
)
def test_any_bytes_give_a_size_or_none(data: bytes) -> None:
    size = image_size(data)
    assert size is None or (size[0] >= 0 and size[1] >= 0)


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".jpg", ".webp"])
def test_a_header_cut_short_gives_none(suffix: str) -> None:
    assert image_size(encoded(suffix, 30, 20)[:15]) is None
