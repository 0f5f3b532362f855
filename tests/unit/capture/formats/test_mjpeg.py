from __future__ import annotations

import struct
from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edged.capture.formats import PixelDecoder, pixel_decoder
from edged.errors import FrameCorrupt
from tests.unit.capture.formats.jpegs import (
    HEIGHT_PX,
    SAMPLING,
    WIDTH_PX,
    jpeg,
    of_four_inks,
    says,
    scan_at,
    with_second_size,
    with_segment,
    without,
)
from tests.unit.capture.formats.pictures import Bytes, scene


def decoder(width_px: int = WIDTH_PX, height_px: int = HEIGHT_PX, fourcc: str = "MJPG") -> PixelDecoder:
    return pixel_decoder(
        fourcc, width_px=width_px, height_px=height_px, stride_bytes=0, full_range=False, bt709=True
    )  # neither of the two matters to JPEG


def plane(data: bytes) -> list[Bytes]:
    return [np.frombuffer(data, np.uint8)]  # read-only, as a driver's


def opencv(data: bytes) -> Bytes:
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    assert image is not None
    return np.asarray(image, np.uint8)


def mean_difference(one: Bytes, other: Bytes) -> float:
    assert one.shape == other.shape
    return float(np.abs(one.astype(int) - other).mean())


def assert_refused(data: bytes, words: str = "cannot be decoded") -> None:
    for wanted in ((WIDTH_PX, HEIGHT_PX), (80, 60)):
        with pytest.raises(FrameCorrupt, match=words):
            decoder().decode_for(plane(data), *wanted)


@pytest.fixture(autouse=True)
def silence(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Whatever happens to a frame, the journal hears nothing of libjpeg."""
    yield
    assert capfd.readouterr().err == ""


PLAIN = jpeg()
WITH_RESTARTS = jpeg(restart=10)
KINDS = {
    "plain": PLAIN,
    "restarts": WITH_RESTARTS,
    "progressive": jpeg(progressive=True),
    "no tables": without(PLAIN, 0xC4),
    "grey": jpeg(np.asarray(cv2.cvtColor(scene(WIDTH_PX, HEIGHT_PX), cv2.COLOR_BGR2GRAY), np.uint8)),
} | {sampling: jpeg(sampling=sampling) for sampling in SAMPLING}


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_jpeg_a_camera_sends_is_decoded(kind: str) -> None:
    whole = decoder().decode(plane(KINDS[kind]))
    assert whole.flags.c_contiguous
    assert whole.flags.writeable
    assert mean_difference(whole, opencv(KINDS[kind])) < 1.0


@pytest.mark.parametrize(
    ("wanted", "shape"),
    [
        ((320, 240), (240, 320, 3)),
        ((319, 20), (240, 320, 3)),
        ((161, 120), (240, 320, 3)),
        ((160, 121), (240, 320, 3)),
        ((160, 120), (120, 160, 3)),
        ((81, 60), (120, 160, 3)),
        ((80, 60), (60, 80, 3)),
        ((41, 2), (60, 80, 3)),
        ((40, 30), (30, 40, 3)),
        ((1, 1), (30, 40, 3)),
        ((900, 900), (240, 320, 3)),
    ],
)
def test_the_smallest_picture_that_covers_what_is_wanted_is_decoded(
    wanted: tuple[int, int], shape: tuple[int, int, int]
) -> None:
    assert decoder().decode_for(plane(PLAIN), *wanted).shape == shape


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("wanted", [(160, 120), (80, 60), (40, 30)])
def test_a_smaller_picture_shows_the_whole_scene(kind: str, wanted: tuple[int, int]) -> None:
    expected = cv2.resize(opencv(KINDS[kind]), wanted, interpolation=cv2.INTER_AREA)
    assert mean_difference(decoder().decode_for(plane(KINDS[kind]), *wanted), np.asarray(expected, np.uint8)) < 5.0


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    size=st.tuples(st.integers(1, 70), st.integers(1, 70)),
    wanted=st.tuples(st.integers(1, 80), st.integers(1, 80)),
    sampling=st.sampled_from(list(SAMPLING)),
    restart=st.sampled_from((0, 1)),
)
def test_a_picture_of_any_size_covers_what_is_wanted(
    size: tuple[int, int], wanted: tuple[int, int], sampling: str, restart: int
) -> None:
    data = jpeg(scene(*size), sampling=sampling, restart=restart)
    small = decoder(*size).decode_for(plane(data), *wanted)
    assert min(wanted[1], size[1]) <= small.shape[0] <= size[1]
    assert min(wanted[0], size[0]) <= small.shape[1] <= size[0]
    assert decoder(*size).decode(plane(data)).shape == (size[1], size[0], 3)


def test_jpeg_is_the_same_by_its_other_name() -> None:
    assert np.array_equal(decoder(fourcc="JPEG").decode(plane(PLAIN)), decoder().decode(plane(PLAIN)))


def test_the_standard_tables_stand_in_for_missing_ones() -> None:
    assert np.array_equal(decoder().decode(plane(KINDS["no tables"])), decoder().decode(plane(PLAIN)))


def test_a_camera_hung_on_its_side_is_left_so() -> None:
    exif = b"Exif\0\0II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x0112, 3, 1, 6, 0, 0)
    for data in (PLAIN, WITH_RESTARTS):
        whole = decoder().decode(plane(with_segment(data, 0xE1, exif)))
        assert np.array_equal(whole, decoder().decode(plane(data)))


@pytest.mark.parametrize("rest", [bytes(100), b"\xff" * 100, b"rubbish", PLAIN[-2000:]], ids=range(4))
@pytest.mark.parametrize("kind", ["plain", "restarts"])
def test_what_follows_the_end_does_not_matter(kind: str, rest: bytes) -> None:
    whole = decoder().decode(plane(KINDS[kind] + rest))
    assert np.array_equal(whole, decoder().decode(plane(KINDS[kind])))


def test_bytes_out_of_place_that_libjpeg_would_complain_of_are_passed_over() -> None:
    at = WITH_RESTARTS.index(b"\xff\xd2")
    padded = WITH_RESTARTS[:at] + b"\0\0" + WITH_RESTARTS[at:]
    assert mean_difference(decoder().decode(plane(padded)), opencv(WITH_RESTARTS)) < 1.0
    tables = PLAIN.index(b"\xff\xdb")
    padded = PLAIN[:tables] + b"\0" + PLAIN[tables:]
    assert mean_difference(decoder().decode(plane(padded)), opencv(PLAIN)) < 1.0
    filled = PLAIN[:tables] + b"\xff\xff" + PLAIN[tables:-2] + b"\xff\xff" + PLAIN[-2:]
    assert mean_difference(decoder().decode(plane(filled)), opencv(PLAIN)) < 1.0


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(["plain", "restarts", "no tables", "4:2:0", "grey"]),
    kept=st.floats(0.0, 0.99),
    tail=st.sampled_from([b"", b"\xff\xd9", bytes(40_000), b"\xff" * 500, b"\xff" * 500 + b"\xff\xd9"]),
)
def test_a_frame_that_ends_too_early_is_refused_however_it_is_filled_up(kind: str, kept: float, tail: bytes) -> None:
    data = KINDS[kind]
    assert_refused(data[: int(kept * len(data))] + tail)


@pytest.mark.parametrize("kind", KINDS)
def test_a_frame_without_an_end_is_refused(kind: str) -> None:
    assert_refused(KINDS[kind][:-2], "cut short")


@pytest.mark.parametrize("kind", ["plain", "4:2:0", "restarts"])
@pytest.mark.parametrize(
    "storm", [b"\xff" * 300, b"\xff\x00" * 300, b"\xff\xc4", b"\xff\xd8", b"\xff\xc0" * 50], ids=range(5)
)
def test_a_storm_in_the_middle_is_refused(kind: str, storm: bytes) -> None:
    data = KINDS[kind]
    at = (scan_at(data) + len(data)) // 2
    assert_refused(data[:at] + storm + data[at:])


@pytest.mark.parametrize("kind", ["plain", "restarts"])
def test_a_frame_of_another_size_is_refused_before_it_takes_memory(kind: str) -> None:
    for size in ((640, 480), (240, 320), (65500, 65500), (0, 0)):
        assert_refused(says(KINDS[kind], *size), rf"says {size[0]} × {size[1]} pixels instead of 320 × 240")


def test_a_second_picture_or_size_in_a_frame_is_refused() -> None:
    monster = says(PLAIN, 65500, 65500)
    assert_refused(PLAIN[:-2] + monster[2:])
    assert_refused(WITH_RESTARTS[:-2] + monster[2:])
    assert_refused(with_second_size(PLAIN, 1200, 1000))


@pytest.mark.parametrize(
    "data", [b"", b"\xff", b"\xff\xd8", b"\xff\xd8\xff\xd9", bytes(5000), b"\xff" * 5000, PLAIN[2:]]
)
def test_what_is_no_jpeg_is_refused(data: bytes) -> None:
    assert_refused(data, "no JPEG")


def test_tables_of_a_damaged_frame_do_not_serve_the_next() -> None:
    data = WITH_RESTARTS
    bare = without(data, 0xC4)
    other = data.index(b"\xff\xc4")
    forged = bytearray(data[: (scan_at(data) + len(data)) // 2] + b"\xff\xd9")
    forged[other + 21] ^= 1  # two codes change places
    part = decoder()
    with pytest.raises(FrameCorrupt):
        part.decode(plane(bytes(forged)))
    assert np.array_equal(part.decode(plane(bare)), decoder().decode(plane(data)))


def test_a_frame_in_two_memory_planes_is_refused() -> None:
    with pytest.raises(FrameCorrupt, match="2 memory planes"):
        decoder().decode(plane(PLAIN) * 2)


@pytest.mark.parametrize("transform", [0, 2])
@pytest.mark.parametrize("wanted", [(WIDTH_PX, HEIGHT_PX), (80, 60)])
def test_a_picture_in_four_inks_is_as_bright_as_black_leaves_it(transform: int, wanted: tuple[int, int]) -> None:
    image = decoder().decode_for(plane(of_four_inks(WIDTH_PX, HEIGHT_PX, transform=transform)), *wanted)
    assert image.shape[1::-1] == wanted
    assert np.abs(image.astype(int) - 64).max() <= 1  # half of half


def test_what_ffmpeg_decodes_and_cannot_scale_is_refused_like_a_damaged_picture() -> None:
    wide = of_four_inks(60_000, 8, transform=0)
    with pytest.raises(FrameCorrupt):
        decoder(60_000, 8).decode_for(plane(wide), 1, 8)
