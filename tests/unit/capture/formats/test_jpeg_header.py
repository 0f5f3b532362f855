from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edged.capture.formats.jpeg_header import parse_header, scan_end
from tests.unit.capture.formats.jpegs import jpeg, scan_at, with_segment, without

PLAIN = jpeg()


def test_a_plain_frame_is_known_by_its_header() -> None:
    header = parse_header(PLAIN)
    assert header is not None
    assert (header.width_px, header.height_px, header.plain) == (320, 240, True)
    assert header.data_at == scan_at(PLAIN) + 14
    assert scan_end(PLAIN, header.data_at) == len(PLAIN) - 2


def test_comments_are_left_out_and_tables_kept() -> None:
    header = parse_header(with_segment(PLAIN, 0xE1, b"a comment"))
    assert header is not None
    assert header.essential == without(PLAIN, 0xE0)[: len(header.essential)]
    assert header.plain


def test_what_is_not_plain_is_told_apart() -> None:
    adobe = with_segment(PLAIN, 0xEE, b"Adobe\0\x64\0\0\0\0\0")
    for data in (jpeg(restart=4), jpeg(progressive=True), adobe, PLAIN[:2] + b"\0" + PLAIN[2:]):
        header = parse_header(data)
        assert header is not None
        assert not header.plain


@given(st.binary(max_size=80).map(lambda rest: b"\xff\xd8" + rest) | st.binary(max_size=80))
def test_any_bytes_are_a_header_or_none(data: bytes) -> None:
    header = parse_header(data)
    assert header is None or 2 <= header.data_at <= len(data)
    assert header is None or scan_end(data, header.data_at) is None or data.count(b"\xff\xd9")


@given(st.integers(0, scan_at(PLAIN) + 13))
def test_a_header_cut_short_is_none(kept: int) -> None:
    assert parse_header(PLAIN[:kept]) is None
