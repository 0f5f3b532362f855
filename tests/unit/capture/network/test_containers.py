"""MPEG-TS and bare H.264 over HTTP and TCP, from real servers on this machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from edged.errors import SourceStalled, SourceUnreachable, SourceUnreadable
from edged.testing.encoded import H264Encoder, MpegTs
from edged.testing.http_camera import HttpCamera
from edged.testing.tcp_camera import TcpCamera
from tests.unit.capture.network.conftest import OPEN_S, Opens, connections_to, number, read, read_on

Keep = Callable[[Any], Any]


def ts_over_http(**options: Any) -> HttpCamera:
    stream = MpegTs()
    return HttpCamera(piece=lambda seq: stream.next_picture(), prefill=30, **{"content_type": "video/mp2t", **options})


def ts_over_tcp() -> TcpCamera:
    stream = MpegTs()
    return TcpCamera(piece=lambda seq: stream.next_picture(), prefill=30)


def h264_over_tcp() -> TcpCamera:
    encoder = H264Encoder()

    def piece(seq: int) -> bytes:
        return b"".join(b"\x00\x00\x00\x01" + unit for unit in encoder.next_picture())

    return TcpCamera(piece=piece, prefill=60)


@pytest.mark.parametrize(
    "make", [ts_over_http, lambda: ts_over_http(content_type="application/octet-stream"), ts_over_tcp, h264_over_tcp]
)
def test_pictures_come_in_order_from_the_first_on(keep: Keep, source_of: Opens, make: Callable[[], Any]) -> None:
    camera = keep(make())
    source = source_of(camera.url())
    source.open()
    seen = [number(read(source)) for _ in range(10)]
    assert seen == list(range(10))


def test_silence_is_a_stall_after_its_time_out(keep: Keep, source_of: Opens) -> None:
    source = source_of(keep(ts_over_http()).url())
    source.open()
    with pytest.raises(SourceStalled, match=r"nothing usable for 0\.3 s"):
        read_on(source)
    with pytest.raises(SourceStalled):
        source.read(0.1)


@pytest.mark.parametrize("make", [ts_over_http, ts_over_tcp])
def test_a_camera_that_hangs_up_is_lost_not_at_its_end(keep: Keep, source_of: Opens, make: Callable[[], Any]) -> None:
    camera = keep(make())
    source = source_of(camera.url(), stall_timeout_s=5.0)
    source.open()
    camera.hang_up()
    with pytest.raises(SourceUnreachable, match="ended the stream"):
        read_on(source)
    source.close()
    assert connections_to(camera.port) == 0


def test_garbage_is_no_video(keep: Keep, source_of: Opens) -> None:
    camera = keep(TcpCamera(piece=lambda seq: b"\x00garbage" * 100_000, prefill=20))
    with pytest.raises((SourceUnreadable, SourceStalled)):
        source_of(camera.url(), open_timeout_s=1.0).open()
    assert connections_to(camera.port) == 0


def test_damage_in_the_middle_is_counted_and_the_stream_goes_on(keep: Keep, source_of: Opens) -> None:
    camera = keep(ts_over_http())
    source = source_of(camera.url())
    source.open()
    camera.send_bytes(bytes(range(256)) * 188)
    camera.send(30)
    seen = [number(read(source)) for _ in range(50)]
    assert seen.count(19) >= 2


def test_a_playlist_that_is_passed_off_as_video_names_no_files(keep: Keep, source_of: Opens) -> None:
    playlist = b"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"
    camera = keep(HttpCamera(piece=lambda seq: playlist, content_type="video/mp4"))
    with pytest.raises((SourceUnreadable, SourceStalled)):
        source_of(camera.url(), open_timeout_s=0.3).open()


def test_a_server_that_sends_nothing_is_given_up_in_time(keep: Keep, source_of: Opens) -> None:
    camera = keep(TcpCamera(piece=lambda seq: b"", prefill=0))
    with pytest.raises(SourceStalled):
        source_of(camera.url(), open_timeout_s=0.2).open()
    assert OPEN_S > 0.2
