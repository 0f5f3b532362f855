"""A daemon that cannot be put together leaves nothing open."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from edged import app
from edged.clock import SystemClock
from edged.config.loader import check_tables
from edged.detect.detector import ModelDetector
from edged.domain.machine import Vitals
from edged.errors import ConfigError, StoreNotWritable
from edged.store.lock import FolderLock
from edged.testing.health import ScriptedSensors
from tests.unit.app.test_reload import SeesOne


def build(folder: Path, detector: SeesOne, **tables: Any) -> None:
    content = {"data_dir": str(folder / "data"), "camera": [{"name": "yard", "source": "rtsp://yard.lan/"}], **tables}
    app.build(
        check_tables(content, name="edged.toml", folder=folder),
        clock=SystemClock(),
        detector=cast(ModelDetector, detector),
        sensors=ScriptedSensors(Vitals()),
    )


def test_a_data_folder_that_is_none_closes_the_model_again(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    detector = SeesOne()
    with pytest.raises(StoreNotWritable):
        build(tmp_path, detector)
    assert detector.closed


def test_a_camera_that_cannot_be_put_together_closes_the_model_and_the_event_log_again(tmp_path: Path) -> None:
    detector = SeesOne()
    with pytest.raises(ConfigError, match="unicorn"):
        build(tmp_path, detector, presence={"labels": ["unicorn"]})
    assert detector.closed
    FolderLock(tmp_path / "data").acquire()
