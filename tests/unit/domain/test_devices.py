from __future__ import annotations

import pytest

from edged.domain.devices import device_path


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ("0", "/dev/video0"),
        ("007", "/dev/video7"),
        ("/dev/video2", "/dev/video2"),
        ("/dev/cam-yard", "/dev/cam-yard"),
        ("/dev/v4l/by-id/usb-camera-index0", "/dev/v4l/by-id/usb-camera-index0"),
        ("/etc/edged/../../dev/video0", "/dev/video0"),
    ],
)
def test_a_number_and_whatever_lies_below_dev_is_a_device(source: str, path: str) -> None:
    assert device_path(source) == path


@pytest.mark.parametrize(
    "source", ["clip.mp4", "/srv/dev/video0", "dev/video0", "/dev", "/dev/shm/clip.avi", "2026", "/dev/../srv/clip.mp4"]
)
def test_anything_else_is_a_file_or_a_folder(source: str) -> None:
    assert device_path(source) is None
