from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.capture.network.multipart import LARGEST_PART_BYTES, Multipart
from tests.unit.capture.network.test_chunks import pieces

PICTURES = [b"\xff\xd8 one \xff\xd9", b"\xff\xd8\r\n--two\r\n\r\n\xff\xd9", b"\xff\xd8 three \xff\xd9"]


def body(pictures: list[bytes], *, delimiter: bytes = b"--cam", length: bool = True, newline: bytes = b"\r\n") -> bytes:
    data = b""
    for picture in pictures:
        head = [delimiter, b"Content-Type: image/jpeg"] + [b"Content-Length: %d" % len(picture)] * length
        data += newline.join(head) + newline * 2 + picture + newline
    return data + delimiter + newline


def taken(data: bytes, boundary: str = "cam") -> list[bytes]:
    return [part.data for part in Multipart(boundary).feed(data)]


@given(
    st.lists(st.binary(max_size=400).map(lambda inner: b"\xff\xd8" + inner + b"\xff\xd9"), max_size=5),
    st.lists(st.integers(0, 10_000)),
    st.booleans(),
)
def test_wherever_the_network_cuts_them_the_pictures_come_out_whole(
    pictures: list[bytes], cuts: list[int], length: bool
) -> None:
    pictures = [picture for picture in pictures if b"--cam" not in picture]
    multipart = Multipart("cam")
    parts = [part for piece in pieces(body(pictures, length=length), cuts) for part in multipart.feed(piece)]
    assert [part.data for part in parts] == pictures


@pytest.mark.parametrize("boundary", ["cam", '"cam"', "--cam"])
@pytest.mark.parametrize("delimiter", [b"--cam", b"----cam"])
@pytest.mark.parametrize("length", [True, False])
def test_a_camera_that_is_careless_with_its_hyphens_is_understood(
    boundary: str, delimiter: bytes, length: bool
) -> None:
    assert taken(body(PICTURES, delimiter=delimiter, length=length), boundary) == PICTURES


def test_bare_line_feeds_do_as_well() -> None:
    assert taken(body(PICTURES, newline=b"\n")) == PICTURES


def test_with_a_length_the_boundary_may_stand_in_a_picture() -> None:
    picture = b"\xff\xd8\r\n--cam\r\n\r\n\xff\xd9"
    assert taken(body([picture, PICTURES[0]])) == [picture, PICTURES[0]]


def test_a_picture_is_given_out_as_soon_as_its_length_has_come() -> None:
    assert taken(body(PICTURES[:1])[: -len(b"\r\n--cam\r\n")]) == PICTURES[:1]


def test_a_length_that_is_too_short_spoils_one_picture_only() -> None:
    long = b"\xff\xd8" + bytes(20_000) + b"\xff\xd9"
    data = body([long, PICTURES[0]]).replace(b"Length: 20004", b"Length: 100")
    multipart = Multipart("cam")
    parts = [part.data for at in range(0, len(data), 50) for part in multipart.feed(data[at : at + 50])]
    assert parts == [long[:100], PICTURES[0]]


def test_a_time_stamp_goes_along() -> None:
    data = b"--cam\r\nX-Timestamp: 1763.250000\r\nContent-Length: 3\r\n\r\nabc"
    (part,) = Multipart("cam").feed(data)
    assert part.stamp_s == 1763.25


def test_without_a_picture_in_it_a_part_is_passed_over() -> None:
    assert taken(b"--cam\r\nContent-Length: 0\r\n\r\n\r\n" + body(PICTURES)) == PICTURES


@pytest.mark.parametrize("start", [b"--cam\r\n\r\n", b""])
def test_what_has_no_end_or_no_beginning_does_not_fill_the_memory(start: bytes) -> None:
    multipart = Multipart("cam")
    multipart.feed(start)
    multipart.feed(bytes(LARGEST_PART_BYTES))
    with pytest.raises(ValueError, match=r"too large|no end"):
        multipart.feed(bytes(10_000))


@pytest.mark.parametrize("data", [b"--cam\r\nX: " + b"x" * 20_000, b"--cam\r\nContent-Length: 99999999\r\n\r\n"])
def test_nonsense_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"too large|no end"):
        Multipart("cam").feed(data)


@given(st.lists(st.sampled_from([b"--cam", b"\r\n", b"Content-Length: 5", b"\xff\xd8", b"x", b"--"]), max_size=30))
def test_any_bytes_are_parts_or_refused(words: list[bytes]) -> None:
    with suppress(ValueError):
        Multipart("cam").feed(b"".join(words))
