from __future__ import annotations

from typing import Any

import pytest

from edged.domain.health import CameraStatus, StoreStatus
from edged.domain.machine import MachineStatus
from edged.health.status_line import StatusLine, in_one_line
from edged.testing.clock import FakeClock
from edged.testing.health import RecordingNotifier
from tests.unit.health.statuses import a_status

LOST = CameraStatus("gate", "lost: /dev/video0 went away")


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({}, "1 camera; 9.5 frames/s in; 4.8 detected/s; 120 MB"),
        ({"cameras": [LOST, LOST]}, "2 cameras, without pictures: gate, gate; 0.0 frames/s in; 0.0 detected/s; 120 MB"),
        (
            {"machine": MachineStatus(temp_c=86.2, heat="stop", budget=0.0), "store": StoreStatus(error="full")},
            "1 camera; 9.5 frames/s in; 4.8 detected/s; 120 MB; 86 °C; heat stop: inference at 0%; 0 events wait: full",
        ),
    ],
)
def test_a_line_says_what_matters(changed: dict[str, Any], line: str) -> None:
    assert in_one_line(a_status(**changed)) == line


def test_it_is_told_every_ten_seconds_and_at_once_when_the_state_is_another() -> None:
    clock, notifier = FakeClock(), RecordingNotifier()
    tell = StatusLine(notifier, clock=clock)
    for _ in range(30):
        tell(a_status())
        clock.advance(1.0)
    tell(a_status(state="stopped"))
    assert len(notifier.lines) == 4
    assert notifier.lines[-1] == "STATUS=stopped"
