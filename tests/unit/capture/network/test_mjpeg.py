"""MJPEG over HTTP, from a real web server on this machine."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edged.errors import (
    FrameCorrupt,
    SourceBusy,
    SourceDenied,
    SourceError,
    SourceNotFound,
    SourceUnreachable,
    SourceUnreadable,
)
from edged.testing.clock import FakeClock
from edged.testing.http_camera import HttpCamera, part
from edged.testing.rtsp import RtspCamera
from tests.unit.capture.network.conftest import Opens, connections_to, number, read

Keep = Callable[[Any], Any]


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("length", [False, True])
def test_pictures_come_as_they_are_sent(keep: Keep, source_of: Opens, chunked: bool, length: bool) -> None:
    camera = keep(HttpCamera(chunked=chunked, piece=lambda seq: part(seq, length=length), prefill=2))
    source = source_of(camera.url())
    source.open()
    frame = read(source)
    camera.send()
    later = read(source)
    assert number(later) > number(frame)
    assert (frame.width_px, frame.height_px) == (64, 48)
    assert later.captured_at > frame.captured_at


def test_the_newest_picture_wins_and_the_others_are_counted(keep: Keep, source_of: Opens) -> None:
    camera = keep(HttpCamera(prefill=1))
    source = source_of(camera.url())
    source.open()
    assert number(read(source)) == 0
    camera.send(9)
    seen = [read(source)]
    while number(seen[-1]) != 9:
        seen.append(read(source))
    assert seen[-1].seq == 9
    assert source.stats.frames == len(seen) + 1
    assert source.stats.frames + source.stats.dropped == 10


def test_a_small_picture_is_made_for_who_needs_no_more(keep: Keep, source_of: Opens) -> None:
    source = source_of(keep(HttpCamera()).url())
    source.open()
    small = read(source).image_for(30, 20)
    assert small.shape[0] < 48
    assert small.shape[0] >= 20


def test_the_cameras_own_stamps_smooth_the_time_of_capture(keep: Keep, source_of: Opens) -> None:
    clock = FakeClock()
    camera = keep(HttpCamera(piece=lambda seq: part(seq, stamp_s=500 + 0.1 * seq), prefill=1))
    source = source_of(camera.url(), clock=clock)
    source.open()
    first = read(source)
    clock.advance(0.35)
    camera.send()
    assert read(source).captured_at == pytest.approx(first.captured_at + 0.1)


def test_a_damaged_picture_is_counted_and_passed_over(keep: Keep, source_of: Opens) -> None:
    camera = keep(HttpCamera(piece=lambda seq: part(seq, data=b"no picture" if seq == 0 else None), prefill=1))
    source = source_of(camera.url())
    source.open()
    assert source.read(0.1) is None
    camera.send()
    frame = read(source)
    assert (number(frame), frame.seq, source.stats.corrupt) == (1, 1, 1)


def test_a_picture_is_decoded_only_by_who_looks_at_it_and_then_damage_is_found(keep: Keep, source_of: Opens) -> None:
    whole = part(0).partition(b"\r\n\r\n")[2]
    camera = keep(HttpCamera(piece=lambda seq: part(seq, data=whole[:-150])))
    source = source_of(camera.url())
    source.open()
    frame = read(source)
    with pytest.raises(FrameCorrupt):
        frame.image()


def test_silence_is_no_frame_and_then_the_stream_goes_on(keep: Keep, source_of: Opens) -> None:
    camera = keep(HttpCamera())
    source = source_of(camera.url())
    source.open()
    read(source)
    assert source.read(0.05) is None
    data = part(7)
    camera.send_bytes(data[:300])
    assert source.read(0.05) is None
    camera.send_bytes(data[300:])
    assert number(read(source)) == 7


def test_a_camera_that_hangs_up_is_lost_not_at_its_end(keep: Keep, source_of: Opens) -> None:
    camera = keep(HttpCamera())
    source = source_of(camera.url())
    source.open()
    read(source)
    camera.hang_up()
    with pytest.raises(SourceUnreachable, match="ended the stream"):
        source.read(5.0)
    source.open()
    assert read(source).seq == 0


def test_garbage_in_the_middle_is_an_error_and_no_hang(keep: Keep, source_of: Opens) -> None:
    camera = keep(HttpCamera(chunked=True))
    source = source_of(camera.url())
    source.open()
    read(source)
    camera.chunked = False
    camera.send_bytes(b"\x00garbage\r\n" * 100)
    with pytest.raises(SourceUnreadable, match="makes no sense"):
        source.read(5.0)


@pytest.mark.parametrize(
    ("status", "expected", "words"),
    [
        (403, SourceDenied, "wants a user"),
        (404, SourceNotFound, "no such stream"),
        (503, SourceBusy, "no more readers"),
        (500, SourceUnreadable, "error"),
    ],
)
def test_each_refusal_has_its_error(
    keep: Keep, source_of: Opens, status: int, expected: type[SourceError], words: str
) -> None:
    with pytest.raises(expected, match=words):
        source_of(keep(HttpCamera(status=status)).url()).open()


@pytest.mark.parametrize(
    ("content_type", "words"),
    [
        ("text/html", "web page"),
        ("image/jpeg", "single picture"),
        ("application/vnd.apple.mpegurl", "playlist"),
        ("video/mp4", "recording"),
    ],
)
def test_what_is_no_stream_is_told_for_what_it_is(keep: Keep, source_of: Opens, content_type: str, words: str) -> None:
    with pytest.raises(SourceUnreadable, match=words):
        source_of(keep(HttpCamera(content_type=content_type)).url()).open()


@pytest.mark.parametrize("digest", [False, True])
def test_a_user_and_password_open_it(keep: Keep, source_of: Opens, digest: bool) -> None:
    camera = keep(HttpCamera(login="admin:s3c@ret", digest=digest))
    source = source_of(camera.url("admin:s3c%40ret", "/live?channel=1"))
    source.open()
    assert number(read(source)) == 0
    with pytest.raises(SourceDenied, match="refuses this user or password"):
        source_of(camera.url("admin:wrong")).open()
    with pytest.raises(SourceDenied, match="wants a user and a password"):
        source_of(camera.url()).open()


def test_a_redirection_is_followed_and_the_password_goes_to_the_same_host_only(keep: Keep, source_of: Opens) -> None:
    there = keep(HttpCamera(login="admin:secret"))
    here = keep(HttpCamera(status=302, headers=[("Location", there.url())]))
    source = source_of(here.url("admin:secret"))
    source.open()
    assert number(read(source)) == 0
    elsewhere = keep(HttpCamera(status=302, headers=[("Location", f"http://localhost:{there.port}/live")]))
    with pytest.raises(SourceDenied):
        source_of(elsewhere.url("admin:secret")).open()
    assert not any("secret" in str(request) for request in there.requests)


def test_a_redirection_cannot_ask_for_our_secrets_or_files(
    keep: Keep, source_of: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATE_KEY", "open-sesame")
    there = keep(HttpCamera(status=404))
    thief = keep(HttpCamera(status=302, headers=[("Location", there.url(path="/${GATE_KEY}"))]))
    with pytest.raises(SourceNotFound):
        source_of(thief.url()).open()
    assert there.requests[0]["path"] == "/${GATE_KEY}"
    with pytest.raises((SourceUnreadable, SourceNotFound)):
        source_of(keep(HttpCamera(status=302, headers=[("Location", "file:///etc/passwd")])).url()).open()


@pytest.mark.parametrize("location", ["http://[nowhere/", "http://gate..lan/"])
def test_a_redirection_that_cannot_be_read_is_told(keep: Keep, source_of: Opens, location: str) -> None:
    with pytest.raises(SourceError, match=r"cannot be read|can be read"):
        source_of(keep(HttpCamera(status=302, headers=[("Location", location)])).url()).open()


def test_a_circle_of_redirections_ends(keep: Keep, source_of: Opens) -> None:
    with pytest.raises(SourceUnreadable, match="circle"):
        source_of(keep(HttpCamera(status=302, headers=[("Location", "/live")])).url()).open()


def test_a_server_that_never_answers_is_given_up_in_time(keep: Keep, source_of: Opens) -> None:
    with pytest.raises(SourceUnreachable, match="does not answer in time"):
        source_of(keep(HttpCamera(silent=True)).url(), open_timeout_s=0.2).open()


def test_what_speaks_another_language_is_no_web_server(keep: Keep, source_of: Opens) -> None:
    camera = keep(RtspCamera())
    with pytest.raises(SourceUnreadable, match="does not speak HTTP"):
        source_of(camera.url().replace("rtsp:", "http:")).open()


@pytest.mark.parametrize("scheme", ["http", "rtsp", "tcp", "https", "rtsps"])
def test_a_closed_port_and_an_unknown_name_are_told_apart(source_of: Opens, scheme: str) -> None:
    with pytest.raises(SourceUnreachable, match="refuses connections to port 1"):
        source_of(f"{scheme}://127.0.0.1:1/").open()
    with pytest.raises(SourceUnreachable, match=r"name no-such-camera\.invalid cannot be resolved"):
        source_of(f"{scheme}://no-such-camera.invalid:1/").open()


def test_a_certificate_is_believed_only_when_this_machine_trusts_it(
    keep: Keep, source_of: Opens, tls: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = keep(HttpCamera(tls=tls))
    source = source_of(camera.url())
    with pytest.raises(SourceUnreachable, match="certificate is not trusted"):
        source.open()
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    source.open()
    assert number(read(source)) == 0


def test_tls_to_a_port_without_it_is_told(keep: Keep, source_of: Opens) -> None:
    plain = keep(HttpCamera())
    with pytest.raises(SourceUnreachable, match="no TLS connection"):
        source_of(plain.url().replace("http:", "https:")).open()


def test_fifty_reopenings_leave_no_connection_open(keep: Keep, source_of: Opens) -> None:
    camera = keep(HttpCamera())
    source = source_of(camera.url())
    for _ in range(50):
        source.open()
        read(source)
    assert connections_to(camera.port) == 1
    source.close()
    assert connections_to(camera.port) == 0
