"""What people and systemd are told while a model loads."""

import logging

import pytest

from edged.app.loading import LoadingNews
from edged.testing.health import RecordingNotifier


def test_progress_goes_to_the_log_and_to_systemd_which_is_asked_for_patience(caplog: pytest.LogCaptureFixture) -> None:
    notifier = RecordingNotifier()
    with caplog.at_level(logging.INFO):
        LoadingNews(notifier)("building yolo for TensorRT: Timing tactics 3/100")
    assert notifier.lines == [
        "STATUS=building yolo for TensorRT: Timing tactics 3/100",
        "EXTEND_TIMEOUT_USEC=300000000",
    ]
    assert caplog.messages == ["building yolo for TensorRT: Timing tactics 3/100"]
