"""What becomes of detection when the machine is hot: real threads, scheduler and monitor, invented sensors."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from edged import app
from edged.clock import Clock, SystemClock
from edged.config.loader import check_tables
from edged.config.schema import CameraSection
from edged.detect.detector import ModelDetector
from edged.domain.health import DaemonStatus
from edged.domain.machine import Vitals
from edged.ports import Source
from edged.testing.health import ScriptedSensors
from edged.testing.source import SyntheticSource
from tests.unit.app.test_reload import SeesOne

pytestmark = pytest.mark.slow

FRAMES = 60


def source(section: CameraSection, clock: Clock) -> Source:
    return SyntheticSource(clock=clock, fps=20.0, frames=None, in_real_time=True)


def watch(folder: Path, temp_c: float) -> DaemonStatus:
    """Watch a camera for a few seconds on a machine of this temperature; every frame is wanted."""
    tables = {
        "data_dir": str(folder / "data"),
        "scheduler": {"policy": "stride", "every": 1},
        "camera": [{"name": "yard", "source": "rtsp://yard.lan/live"}],
    }
    daemon = app.build(
        check_tables(tables, name="edged.toml", folder=folder),
        clock=SystemClock(),
        detector=cast(ModelDetector, SeesOne()),
        make_source=source,
        sensors=ScriptedSensors(Vitals(temp_c=temp_c, zone="cpu-thermal", has_sensor=True)),
    )

    def stop_in_time(status: DaemonStatus) -> None:
        if status.cameras[0].frames >= FRAMES:
            daemon.request_stop()

    daemon.listen(stop_in_time)
    return daemon.run()


@pytest.mark.parametrize(
    ("temp_c", "least", "most"),
    [(50.0, 0.95, 1.0), (80.0, 0.4, 0.75), (84.9, 0.05, 0.35), (90.0, 0.0, 0.1)],
)
def test_inference_gets_the_share_that_the_heat_leaves(
    tmp_path: Path, temp_c: float, least: float, most: float
) -> None:
    camera = watch(tmp_path, temp_c).cameras[0]
    assert least <= camera.detected / camera.frames <= most
