from __future__ import annotations

from pathlib import Path

import pytest

from edged.capture.image_folder import ImageFolderSource
from edged.capture.network.source import NetworkSource
from edged.capture.open import open_source
from edged.capture.os_errors import source_error
from edged.capture.v4l2.source import V4l2Source
from edged.capture.video_file import VideoFileSource
from edged.errors import SourceDenied, SourceError, SourceLost, SourceNotFound, SourceUnreadable
from edged.ports import Source
from edged.testing.clock import FakeClock


def chosen(spec: str) -> Source:
    return open_source(spec, clock=FakeClock(), in_real_time=False)


@pytest.mark.parametrize("spec", ["0", "12", "/dev/video0", "/dev/v4l/by-id/usb-camera-index0", "/dev/cam-yard"])
def test_numbers_and_devices_are_cameras(spec: str) -> None:
    assert isinstance(chosen(spec), V4l2Source)


def test_a_folder_or_a_picture_plays_pictures(tmp_path: Path) -> None:
    assert isinstance(chosen(str(tmp_path)), ImageFolderSource)
    assert isinstance(chosen("street.JPG"), ImageFolderSource)


@pytest.mark.parametrize("spec", ["clip.mp4", "clip", "/dev/shm/clip.avi", "2026"])
def test_anything_else_is_a_video_file(spec: str) -> None:
    assert isinstance(chosen(spec), VideoFileSource)


def test_a_link_to_a_device_from_elsewhere_is_refused_with_what_to_name_instead(tmp_path: Path) -> None:
    (tmp_path / "camera").symlink_to("/dev/null")
    with pytest.raises(SourceUnreadable, match="leads to a device") as caught:
        chosen(str(tmp_path / "camera"))
    assert "/dev/null" in caught.value.hint


@pytest.mark.parametrize("spec", ["rtsp://camera/stream", "http://camera/live", "https://camera/", "RTSP://x"])
def test_an_address_on_the_network_is_a_network_source(spec: str) -> None:
    assert isinstance(chosen(spec), NetworkSource)


@pytest.mark.parametrize("spec", ["ftp://user:secret@camera/clip", "file:///clip.mp4"])
def test_an_address_of_another_kind_is_refused_with_those_that_are_known(spec: str) -> None:
    with pytest.raises(SourceUnreadable, match="does not know") as caught:
        chosen(spec)
    assert "rtsp://" in caught.value.hint
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("spec", ["", "a\0b"])
def test_nothing_is_not_found(spec: str) -> None:
    with pytest.raises(SourceNotFound):
        chosen(spec)


@pytest.mark.parametrize("spec", ["gone.mp4", "gone.jpg", "999", "/nowhere/at/all", "x" * 5000])
def test_what_does_not_exist_is_found_out_at_open(spec: str) -> None:
    with pytest.raises(SourceNotFound):
        chosen(spec).open()


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (2, SourceNotFound),  # ENOENT
        (13, SourceDenied),  # EACCES
        (19, SourceLost),  # ENODEV
        (5, SourceUnreadable),  # EIO
    ],
)
def test_each_refusal_of_the_system_has_its_error(number: int, expected: type[SourceError]) -> None:
    error = source_error(OSError(number, "words of the system"), "/dev/video0")
    assert type(error) is expected
    assert "/dev/video0" in error.message
    assert error.hint
