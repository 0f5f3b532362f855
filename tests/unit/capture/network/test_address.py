from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.capture.network.address import find_secret, parse_address
from edged.errors import SourceDenied, SourceNotFound


def test_an_address_is_taken_apart() -> None:
    address = parse_address("http://user:p%40ss@camera:8080/live/1?channel=2")
    assert (address.scheme, address.host, address.port) == ("http", "camera", 8080)
    assert (address.user, address.password) == ("user", "p@ss")
    assert address.target == "/live/1?channel=2"
    assert address.authority == "camera:8080"


@pytest.mark.parametrize(
    ("text", "port", "authority"),
    [
        ("rtsp://camera", 554, "camera"),
        ("rtsps://camera", 322, "camera"),
        ("http://camera", 80, "camera"),
        ("https://[fe80::1]", 443, "[fe80::1]"),
        ("tcp://camera:8888", 8888, "camera:8888"),
    ],
)
def test_the_port_is_that_of_the_scheme(text: str, port: int, authority: str) -> None:
    address = parse_address(text)
    assert (address.port, address.authority, address.target) == (port, authority, "/")


@pytest.mark.parametrize(
    "text",
    [
        "rtsp://",
        "rtsp://camera:nonsense/",
        "tcp://camera",
        "rtsp://[::1/",
        "http://a b/",
        "rtsp://u:p/w@h/",
        "http://192.168.1..20/",  # no name's part may be empty, or longer than 63 signs: the resolver chokes on it
        f"rtsp://{'a' * 64}.lan/",
    ],
)
def test_what_cannot_be_read_is_refused_without_its_password(text: str) -> None:
    with pytest.raises(SourceNotFound, match="no address that can be read") as caught:
        parse_address(text)
    assert "p/w" not in str(caught.value)


@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_a_secret_may_hold_any_sign(secret: str) -> None:
    address = parse_address("rtsp://admin:${YARD}@camera/live", find_secret={"YARD": secret}.get)
    assert (address.user, address.password, address.host) == ("admin", secret, "camera")
    assert address.shown == "rtsp://admin:${YARD}@camera/live"
    assert address.url == f"rtsp://admin:{quote(secret, safe='')}@camera/live"


def test_a_missing_secret_is_named() -> None:
    with pytest.raises(SourceDenied, match=r"there is no \$\{YARD\}") as caught:
        parse_address("rtsp://admin:${YARD}@camera/", find_secret=lambda name: None)
    assert "YARD" in caught.value.hint


def test_an_address_from_the_network_names_no_secret_of_ours() -> None:
    assert parse_address("http://other/${YARD}", find_secret=None).target == "/${YARD}"


def test_a_secret_is_a_credential_of_systemd_or_else_a_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "YARD").write_text("from the file\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("YARD", "from the environment")
    monkeypatch.setenv("GATE", "open")
    assert [find_secret(name) for name in ("YARD", "GATE", "NOBODY")] == ["from the file", "open", None]


def test_the_password_is_in_no_representation() -> None:
    address = parse_address("rtsp://user:secret@camera/live")
    assert "secret" not in repr(address) + str(address) + address.shown
