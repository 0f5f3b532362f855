from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.domain.addresses import is_hidden, looks_like_address, scheme, without_secrets


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
        ("http://host/cgi?user=a&password=secret", "http://host/cgi?user=***&password=***"),
        ("http://host/cgi?loginuse=admin&loginpas=se;cr#et", "http://host/cgi?loginuse=***&loginpas=***"),
        ("http://host/cgi?token=${YARD}&stream", "http://host/cgi?token=${YARD}&stream"),
        ("http://host/cgi?token=${YARD}more", "http://host/cgi?token=***"),
        ("rtsp://host/user=admin_password=secret_channel=1", "rtsp://host/user=admin_password=***"),
        ("rtsp://host/user=admin&PWD=secret/1", "rtsp://host/user=admin&PWD=***"),
        ("rtsp://host/user=admin_password=${YARD}_channel=1", "rtsp://host/user=admin_password=${YARD}_channel=1"),
        ("http:/user:secret@host/x", "http:/user:***@host/x"),
        ("http:///user:secret@host/x", "http:///user:***@host/x"),
        ("rtsp//user:secret@host/x", "rtsp//user:***@host/x"),
        ("rtsp:user:secret@host/x", "rtsp:user:***@host/x"),
        ("user:secret@host/x", "user:***@host/x"),
        ("user:/se@cret@host/x", "user:***@host/x"),
        ("user:${YARD}@host/x", "user:${YARD}@host/x"),
        ("host/x?pas=secret", "host/x?pas=***"),
        ('source = "rtsp://user:secret@host/live', 'source = "rtsp://user:***@host/live'),
        ('source = "user:secret@host/live" oops', 'source = "user:***@host/live" oops'),
        ('http://host/?pwd=se "cret&a=1', "http://host/?pwd=***&a=***"),
        ("clip.mp4", "clip.mp4"),
        ("/clips/2026-11-24T10:30/yard.mp4", "/clips/2026-11-24T10:30/yard.mp4"),
    ],
)
def test_passwords_are_hidden_and_nothing_else(text: str, shown: str) -> None:
    assert without_secrets(text) == shown


@given(st.text(min_size=1).filter(lambda text: "\n" not in text and not text.startswith("${")))
def test_no_password_shows_whatever_is_in_it(password: str) -> None:
    assert without_secrets(f"rtsp://user:{password}@host/live") == "rtsp://user:***@host/live"


@given(st.text(min_size=1).filter(lambda text: "\n" not in text and not text.startswith(("//", "${"))))
def test_no_password_shows_where_the_scheme_was_left_off(password: str) -> None:
    assert without_secrets(f"user:{password}@host/live") == "user:***@host/live"


@given(st.text().map(lambda text: f"rtsp://user:{text}@host/live?a={text}&b={text}#{text}"))
def test_what_is_hidden_stays_as_it_is(address: str) -> None:
    assert without_secrets(without_secrets(address)) == without_secrets(address)


@pytest.mark.parametrize("sign", ["a", ":", "?", "a:", "pw", "&", "/"])
def test_a_text_as_large_as_a_configuration_may_be_is_read_in_no_time(sign: str) -> None:
    text = sign * (1 << 16)
    assert without_secrets(text) == text
    looks_like_address(text)


@pytest.mark.parametrize(
    "source",
    [
        "http:/user:secret@host/x",
        "HTTP:host",
        "rtsp//user:secret@host/x",
        "rtsp:user:secret@host/x",
        "user:secret@host/x",
        "//user:secret@host/x",
        ":///user:secret@host",
        "host:554/live",
        "192.168.1.7:8080",
        "host/live?user=admin",
    ],
)
def test_a_mistyped_address_is_known(source: str) -> None:
    assert looks_like_address(source)


@pytest.mark.parametrize(
    "source",
    [
        "clip.mp4",
        "clips/10:30.mp4",
        "10:30.mp4",
        "./user:secret@host.mp4",
        "../user:a@b",
        "~/a:b@c",
        "/srv/a:b@c",
        "/dev/video0",
        "/dev/v4l/by-path/platform-fd500000.pcie-pci-0000:01:00.0-usb-0:1.3:1.0-video-index0",
        "0",
        "tcp/clip.mp4",
        "what?.mp4",
    ],
)
def test_a_file_or_device_is_no_mistyped_address(source: str) -> None:
    assert not looks_like_address(source)


@given(st.text(st.characters(exclude_characters="\n"), min_size=1).filter(lambda text: not text.startswith("${")))
def test_whatever_was_hidden_is_known_as_such(secret: str) -> None:
    for address in (f"rtsp://user:{secret}@host/live", f"rtsp://host/live?a={secret}", f"rtsp://host/pass={secret}"):
        hidden = without_secrets(address)
        assert hidden == address or is_hidden(hidden)
