from __future__ import annotations

from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.capture.network.chunks import Chunks


def chunked(bodies: list[bytes], *, end: bool = True) -> bytes:
    return b"".join(f"{len(body):x}\r\n".encode() + body + b"\r\n" for body in bodies) + b"0\r\n\r\n" * end


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:end] for start, end in pairwise(edges)]


@given(st.lists(st.binary(min_size=1, max_size=300)), st.lists(st.integers(0, 10_000)))
def test_wherever_the_network_cuts_it_the_body_comes_out_whole(bodies: list[bytes], cuts: list[int]) -> None:
    chunks = Chunks()
    assert b"".join(chunks.feed(piece) for piece in pieces(chunked(bodies), cuts)) == b"".join(bodies)
    assert chunks.ended


def test_what_follows_the_end_is_not_body() -> None:
    assert Chunks().feed(chunked([b"abc"]) + b"more") == b"abc"


def test_an_extension_behind_the_size_is_passed_over() -> None:
    assert Chunks().feed(b"3;name=value\r\nabc\r\n") == b"abc"


@pytest.mark.parametrize("data", [b"zz\r\n", b"\r\n\r\n", b"-5\r\n", b"fffffffff\r\n", b"1" * 2000])
def test_what_is_not_in_chunks_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"chunk|base 16"):
        Chunks().feed(data)


@given(st.binary(max_size=300))
def test_any_bytes_are_body_or_refused(data: bytes) -> None:
    with suppress(ValueError):
        Chunks().feed(data)
