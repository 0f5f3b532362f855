from __future__ import annotations

from typing import Any

import pytest

from edged.domain.health import CameraStatus, DaemonStatus, StoreStatus
from edged.domain.machine import MachineStatus
from edged.health.status_line import StatusLine, in_one_line
from edged.testing.clock import FakeClock
from edged.testing.health import RecordingNotifier


def status(**changed: Any) -> DaemonStatus:
    facts: dict[str, Any] = {
        "version": "0.1.0",
        "pid": 7,
        "run_id": "run",
        "state": "running",
        "started_wall_at": 1.0,
        "written_wall_at": 91.0,
        "uptime_s": 90.0,
        "model": "builtin",
        "backend": "ncnn",
        "inference_p50_ms": None,
        "inference_p99_ms": None,
        "rss_bytes": 120_000_000,
        "cameras": [CameraStatus("yard", "running", fps_in=9.5, fps_detected=4.75)],
    }
    return DaemonStatus(**{**facts, **changed})


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
    assert in_one_line(status(**changed)) == line


def test_it_is_told_every_ten_seconds_and_at_once_when_the_state_is_another() -> None:
    clock, notifier = FakeClock(), RecordingNotifier()
    tell = StatusLine(notifier, clock=clock)
    for _ in range(30):
        tell(status())
        clock.advance(1.0)
    tell(status(state="stopped"))
    assert len(notifier.lines) == 4
    assert notifier.lines[-1] == "STATUS=stopped"
