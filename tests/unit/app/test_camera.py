from __future__ import annotations

import threading
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import cast

import pytest

from edged.app.camera import build_camera
from edged.config.loader import check_tables
from edged.detect.detector import ModelDetector
from edged.pipeline.latency import Latency
from edged.testing.clock import FakeClock
from edged.testing.events import MemorySink
from tests.pipeline.parts import a_frame
from tests.unit.app.test_reload import SeesOne


@pytest.mark.parametrize(
    ("of_all", "of_camera", "appeared"),
    [
        ([], None, ["person"]),
        (["vehicle"], None, []),
        (["vehicle"], ["person"], ["person"]),
        (["vehicle"], [], ["person"]),
        (["person"], ["vehicle"], []),
    ],
)
def test_the_labels_of_a_camera_count_before_those_of_all(
    tmp_path: Path, of_all: list[str], of_camera: list[str] | None, appeared: list[str]
) -> None:
    camera = {"name": "yard", "source": "rtsp://yard.lan/", **({} if of_camera is None else {"labels": of_camera})}
    tables = {"presence": {"labels": of_all, "seen_for_s": 0.1}, "camera": [camera]}
    config = check_tables(tables, name="edged.toml", folder=tmp_path)
    clock, events = FakeClock(), MemorySink()
    with ExitStack() as resources:
        parts = build_camera(
            config.camera[0],
            config,
            cast(ModelDetector, SeesOne()),
            resources,
            clock=clock,
            make_source=None,
            store=events,
            arrival=threading.Condition(),
            latency=Latency(),
            observers={},
            track_ids={"yard": count(1)},
        )
        for seq in range(20):
            clock.advance(0.1)
            parts.pipeline.step(a_frame(seq, at=clock.monotonic()))
    assert [event.label for event in events.track_events] == appeared
