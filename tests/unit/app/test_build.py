"""A daemon that cannot be put together leaves nothing open."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from edged import app
from edged.clock import SystemClock
from edged.config.loader import check_tables
from edged.detect.catalogue import find_model
from edged.detect.detector import ModelDetector
from edged.detect.load import load_spec
from edged.domain.machine import Vitals
from edged.errors import ConfigError, StoreNotWritable
from edged.store.lock import FolderLock
from edged.testing.detector import ScriptedDetector
from edged.testing.health import ScriptedSensors
from tests.pipeline.parts import one_detection


class Loaded(ScriptedDetector):
    """A loaded model."""

    def __init__(self) -> None:
        self.spec = load_spec(find_model("builtin"))
        self.engine = "none"
        self.closed = False
        super().__init__(self.spec.labels, lambda frame: one_detection((20, 20, 50, 80)))

    def close(self) -> None:
        self.closed = True


def build(folder: Path, detector: Loaded, **tables: Any) -> None:
    content = {"data_dir": str(folder / "data"), "camera": [{"name": "yard", "source": "rtsp://yard.lan/"}], **tables}
    app.build(
        check_tables(content, name="edged.toml", folder=folder),
        clock=SystemClock(),
        detector=cast(ModelDetector, detector),
        sensors=ScriptedSensors(Vitals()),
    )


def test_a_data_folder_that_is_none_closes_the_model_again(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    detector = Loaded()
    with pytest.raises(StoreNotWritable):
        build(tmp_path, detector)
    assert detector.closed


def test_a_camera_that_cannot_be_put_together_closes_the_model_and_the_event_log_again(tmp_path: Path) -> None:
    detector = Loaded()
    with pytest.raises(ConfigError, match="unicorn"):
        build(tmp_path, detector, presence={"labels": ["unicorn"]})
    assert detector.closed
    FolderLock(tmp_path / "data").acquire()
