"""RTSP, from a real server on this machine."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edged.clock import SystemClock
from edged.errors import SourceDenied, SourceNotFound, SourceStalled, SourceUnreachable, SourceUnreadable
from edged.testing.clock import FakeClock
from edged.testing.rtsp import RtspCamera
from tests.unit.capture.network.conftest import STALL_S, Opens, connections_to, number, read, read_on

Keep = Callable[[Any], Any]


def test_pictures_come_in_order_from_the_first_on(keep: Keep, source_of: Opens) -> None:
    camera = keep(RtspCamera(prefill=5))
    source = source_of(camera.url())
    source.open()
    camera.send(3)
    frames = [read(source) for _ in range(7)]
    assert frames[0].image_for(32, 24).shape == (24, 32, 3)
    assert [number(frame) for frame in frames] == list(range(7))
    assert [frame.seq for frame in frames] == list(range(7))
    assert (frames[0].width_px, frames[0].height_px) == (64, 48)


def test_a_large_picture_comes_in_fragments(keep: Keep, source_of: Opens) -> None:
    camera = keep(RtspCamera(prefill=3, size=(1280, 720), noise=True))
    source = source_of(camera.url())
    source.open()
    frame = read(source)
    assert frame.image().shape == (720, 1280, 3)
    assert source.stats.corrupt == 0


def test_the_time_of_capture_follows_the_cameras_stamps(keep: Keep, source_of: Opens) -> None:
    clock = FakeClock()
    camera = keep(RtspCamera(prefill=4))
    source = source_of(camera.url(), clock=clock)
    source.open()
    early = [read(source).captured_at for _ in range(3)]
    clock.advance(0.9)
    camera.send(3)
    late = [read(source).captured_at for _ in range(3)]
    assert early == pytest.approx([1000.0] * 3, abs=1e-3)
    assert late == pytest.approx([1000.1, 1000.2, 1000.3], abs=1e-3)


def test_stamps_that_wrap_around_do_not_disturb_the_time(keep: Keep, source_of: Opens) -> None:
    clock = FakeClock()
    camera = keep(RtspCamera(prefill=2, first_stamp=2**32 - 9000))
    source = source_of(camera.url(), clock=clock)
    source.open()
    camera.send(6)
    times = []
    for _ in range(6):
        times.append(read(source).captured_at)
        clock.advance(0.1)
    assert times == pytest.approx([1000 + 0.1 * step for step in range(6)], abs=1e-3)


@pytest.mark.parametrize("jump_s", [-3.0, 40.0])
def test_stamps_that_jump_begin_again_at_the_arrival(keep: Keep, source_of: Opens, jump_s: float) -> None:
    clock = FakeClock()
    camera = keep(RtspCamera(prefill=3))
    source = source_of(camera.url(), clock=clock)
    source.open()
    read(source)
    read(source)
    camera.skip_time(jump_s)
    camera.send(3)
    clock.advance(0.2)
    times = [read(source).captured_at for _ in range(3)]
    assert times[-1] == pytest.approx(clock.monotonic(), abs=0.21)


def test_silence_is_no_frame_and_then_the_stream_goes_on(keep: Keep, source_of: Opens) -> None:
    camera = keep(RtspCamera(prefill=3))
    source = source_of(camera.url())
    source.open()
    seen = [number(read(source)) for _ in range(3)]
    assert source.read(0.1) is None
    assert source.read(0.1) is None
    camera.send(3)
    seen += [number(read(source)) for _ in range(3)]
    assert seen == list(range(6))


def test_a_server_that_falls_silent_within_a_packet_is_a_stall_in_time(keep: Keep, source_of: Opens) -> None:
    clock = SystemClock()
    camera = keep(RtspCamera(prefill=2))
    source = source_of(camera.url())
    source.open()
    read(source)
    read(source)
    camera.send_bytes(b"$\x00\x20\x00half a packet")
    asked_at = clock.monotonic()
    with pytest.raises(SourceStalled, match=r"for 0\.3 s"):
        source.read(0.1)
    assert clock.monotonic() - asked_at < STALL_S + 2.0  # two seconds for a busy machine


def test_a_camera_that_hangs_up_is_lost_and_comes_back(keep: Keep, source_of: Opens) -> None:
    camera = keep(RtspCamera(prefill=3))
    source = source_of(camera.url())
    source.open()
    read(source)
    camera.hang_up()
    with pytest.raises(SourceUnreachable, match="ended the stream"):
        read_on(source)
    source.open()
    assert read(source).seq == 0


def test_garbage_between_the_packets_is_no_hang_and_no_end(keep: Keep, source_of: Opens) -> None:
    camera = keep(RtspCamera(prefill=3))
    source = source_of(camera.url())
    source.open()
    for _ in range(3):
        read(source)
    camera.send_bytes(b"\xff" * 10_000)
    assert source.read(0.1) is None
    source.open()
    assert number(read(source)) == 0


def test_a_lost_picture_does_not_end_the_stream(keep: Keep, source_of: Opens) -> None:
    camera = keep(RtspCamera(prefill=3, key_every=4))
    source = source_of(camera.url())
    source.open()
    read(source)
    camera.drop_packet()
    camera.send(8)
    assert max(number(read(source)) for _ in range(8)) >= 8


def test_a_reader_that_fell_behind_goes_on_at_a_late_key_picture(keep: Keep, source_of: Opens) -> None:
    clock = FakeClock()
    camera = keep(RtspCamera(prefill=3, key_every=10))
    source = source_of(camera.url(), clock=clock)
    source.open()
    seen = [number(read(source)) for _ in range(2)]
    clock.advance(4.9)
    camera.send(45)
    frame = read(source)
    assert seen == [0, 1]
    assert clock.monotonic() - frame.captured_at <= 1.0
    assert frame.seq == 40
    assert number(frame) == 40 % 20
    assert source.stats.dropped == 38


def test_each_method_without_an_answer_is_given_up_in_time(keep: Keep, source_of: Opens) -> None:
    for method in ("OPTIONS", "DESCRIBE", "SETUP", "PLAY"):
        with pytest.raises(SourceUnreachable, match="does not answer in time"):
            source_of(keep(RtspCamera(mute=method)).url(), open_timeout_s=0.2).open()


def test_a_user_and_password_open_it(keep: Keep, source_of: Opens) -> None:
    camera = keep(RtspCamera(password="admin:p@ss/w"))
    source = source_of(camera.url("admin:${YARD}"), find_secret={"YARD": "p@ss/w"}.get)
    source.open()
    assert number(read(source)) == 0
    with pytest.raises(SourceDenied, match="refuses this user or password"):
        source_of(camera.url("admin:wrong")).open()
    with pytest.raises(SourceDenied, match="wants a user and a password"):
        source_of(camera.url()).open()


def test_a_wrong_path_is_not_found(keep: Keep, source_of: Opens) -> None:
    with pytest.raises(SourceNotFound, match="no such stream"):
        source_of(keep(RtspCamera(path="/other")).url()).open()


def test_sound_alone_is_no_video(keep: Keep, source_of: Opens) -> None:
    with pytest.raises(SourceUnreadable, match="no video"):
        source_of(keep(RtspCamera(media="audio", codec="PCMU")).url()).open()


def test_a_codec_that_nobody_knows_is_told(keep: Keep, source_of: Opens) -> None:
    with pytest.raises(SourceUnreadable, match="codec"):
        source_of(keep(RtspCamera(codec="X-SECRET")).url()).open()


def test_a_certificate_is_believed_only_when_this_machine_trusts_it(
    keep: Keep, source_of: Opens, tls: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = keep(RtspCamera(tls=tls))
    source = source_of(camera.url())
    with pytest.raises(SourceUnreachable, match="certificate is not trusted"):
        source.open()
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    source.open()
    assert number(read(source)) == 0


def test_twenty_reopenings_leave_no_connection_open(keep: Keep, source_of: Opens) -> None:
    camera = keep(RtspCamera())
    source = source_of(camera.url())
    for _ in range(20):
        source.open()
        read(source)
    assert connections_to(camera.port) == 1
    source.close()
    assert connections_to(camera.port) == 0
