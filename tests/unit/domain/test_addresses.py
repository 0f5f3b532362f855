from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.domain.addresses import scheme, without_secrets


@pytest.mark.parametrize(
    ("text", "expected"),
    [("rtsp://camera/", "rtsp"), ("HTTPS://x", "https"), ("/dev/video0", None), ("a://b", "a"), ("12", None)],
)
def test_an_address_is_known_by_its_scheme(text: str, expected: str | None) -> None:
    assert scheme(text) == expected


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("rtsp://user:secret@host/live", "rtsp://user:***@host/live"),
        ("rtsp://:secret@host/live", "rtsp://:***@host/live"),
        ("rtsp://user:se@cr/et:1@host:554/live", "rtsp://user:***@host:554/live"),
        ("rtsp://user@host/live", "rtsp://user@host/live"),
        ("rtsp://host:554/live", "rtsp://host:554/live"),
        ("rtsp://user:${YARD}@host/live", "rtsp://user:${YARD}@host/live"),
        ("http://host/cgi?user=a&password=secret&channel=1", "http://host/cgi?user=a&password=***&channel=1"),
        ("http://host/cgi?usr=a&pwd=secret", "http://host/cgi?usr=a&pwd=***"),
        ("http://host/cgi?token=${YARD}", "http://host/cgi?token=${YARD}"),
        ('source = "rtsp://user:secret@host/live', 'source = "rtsp://user:***@host/live'),
        ("clip.mp4", "clip.mp4"),
    ],
)
def test_passwords_are_hidden_and_nothing_else(text: str, shown: str) -> None:
    assert without_secrets(text) == shown


@given(st.text(min_size=1).filter(lambda text: "\n" not in text and not text.startswith("${")))
def test_no_password_shows_whatever_is_in_it(password: str) -> None:
    assert without_secrets(f"rtsp://user:{password}@host/live") == "rtsp://user:***@host/live"
