"""A password is in no error, no traceback and no log, whatever goes wrong."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from typing import Any

import pytest

from edged.errors import SourceError, SourceStalled
from edged.testing.encoded import MpegTs
from edged.testing.http_camera import HttpCamera
from edged.testing.rtsp import RtspCamera
from tests.unit.capture.network.conftest import Opens, read_on

SECRET = "s3cr3t"
USER = f"admin:{SECRET}"

Keep = Callable[[Any], Any]
Url = Callable[[Keep], str]


def at(url: str) -> Url:
    return lambda keep: url


def of(make: Callable[[], Any], old: str = "", new: str = "") -> Url:
    def url(keep: Keep) -> str:
        text: str = keep(make()).url(USER)
        return text.replace(old, new)

    return url


def ts() -> HttpCamera:
    stream = MpegTs()
    return HttpCamera(piece=lambda seq: stream.next_picture(), prefill=30, content_type="video/mp2t")


def no_h264() -> HttpCamera:
    return HttpCamera(piece=lambda seq: b"\x00garbage" * 10_000, prefill=30, content_type="video/mp4")


NOT_OPENING: dict[str, Url] = {
    "rtsp refused": at(f"rtsp://{USER}@127.0.0.1:1/"),
    "rtsps refused": at(f"rtsps://{USER}@127.0.0.1:1/"),
    "http refused": at(f"http://{USER}@127.0.0.1:1/?pwd={SECRET}"),
    "name": at(f"rtsp://{USER}@no-such-camera.invalid/"),
    "illegible": at(f"rtsp://{USER}/@camera:port/"),
    "missing reference": at(f"rtsp://{USER}@camera/${{NOBODY_HAS_THIS}}"),
    "rtsp user": of(lambda: RtspCamera(password="other:one")),
    "rtsp path": of(lambda: RtspCamera(path="/other")),
    "rtsp silent": of(lambda: RtspCamera(mute="DESCRIBE")),
    "rtsp sound": of(lambda: RtspCamera(media="audio", codec="PCMU")),
    "rtsp codec": of(lambda: RtspCamera(codec="X-SECRET")),
    "rtsp to a web server": of(HttpCamera, "http:", "rtsp:"),
    "http to rtsp": of(RtspCamera, "rtsp:", "http:"),
    "tls to a plain port": of(HttpCamera, "http:", "https:"),
    "http user": of(lambda: HttpCamera(login="other:one")),
    "digest user": of(lambda: HttpCamera(login="other:one", digest=True)),
    "http path": of(lambda: HttpCamera(status=404)),
    "http circle": of(lambda: HttpCamera(status=302, headers=[("Location", f"/live?pwd={SECRET}")])),
    "http elsewhere": of(lambda: HttpCamera(status=302, headers=[("Location", f"ftp://{USER}@127.0.0.1/")])),
    "http silent": of(lambda: HttpCamera(silent=True)),
    "http page": of(lambda: HttpCamera(content_type="text/html")),
    "http no video": of(no_h264),
}


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Callable[[SourceError], str]:
    """All that a person may come to see."""
    caplog.set_level(logging.DEBUG)

    def said(error: SourceError) -> str:
        trace = "".join(traceback.format_exception(type(error), error, error.__traceback__))
        return "\n".join([str(error), repr(error), trace, caplog.text, *capfd.readouterr()])

    return said


@pytest.mark.parametrize("name", NOT_OPENING)
def test_an_address_that_does_not_open_keeps_its_password(
    keep: Keep, source_of: Opens, said: Callable[[SourceError], str], name: str
) -> None:
    source = source_of(NOT_OPENING[name](keep), open_timeout_s=0.5)
    with pytest.raises(SourceError) as caught:
        source.open()
    assert SECRET not in said(caught.value)
    assert SECRET not in repr(source)


@pytest.mark.parametrize("make", [RtspCamera, HttpCamera, ts])
def test_a_stream_that_is_lost_keeps_its_password(
    keep: Keep, source_of: Opens, said: Callable[[SourceError], str], make: Callable[[], Any]
) -> None:
    camera = keep(make())
    source = source_of(camera.url(USER))
    source.open()
    camera.hang_up()
    with pytest.raises(SourceError) as caught:
        read_on(source)
    assert SECRET not in said(caught.value)


def test_a_stream_that_stalls_keeps_its_password(
    keep: Keep, source_of: Opens, said: Callable[[SourceError], str]
) -> None:
    source = source_of(keep(ts()).url(USER))
    source.open()
    with pytest.raises(SourceStalled) as caught:
        read_on(source)
    assert SECRET not in said(caught.value)


def test_the_secret_of_a_reference_is_kept_as_well(
    keep: Keep, source_of: Opens, said: Callable[[SourceError], str]
) -> None:
    camera = keep(RtspCamera(password="other:one"))
    source = source_of(camera.url("admin:${YARD}"), find_secret={"YARD": SECRET}.get)
    with pytest.raises(SourceError, match=r"rtsp://admin:\$\{YARD\}@127") as caught:
        source.open()
    assert SECRET not in said(caught.value)
