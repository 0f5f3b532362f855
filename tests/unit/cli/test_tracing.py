from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from edged.cli.tracing import Traces
from edged.config.loader import check_tables
from edged.config.schema import Config
from edged.errors import ConfigError
from edged.pipeline.trace import SpareTrace


@contextmanager
def opened(path: Path) -> Iterator[SpareTrace]:
    with closing(SpareTrace(path, class_ids=[0])) as trace:
        yield trace


@pytest.fixture
def traces(tmp_path: Path) -> Iterator[Traces]:
    with ExitStack() as files:
        yield Traces(tmp_path / "tracks.txt", opened, files)


def watching(*cameras: str, model: str = "builtin") -> Config:
    tables = {"model": {"path": model}, "camera": [{"name": name, "source": "a.mp4"} for name in cameras]}
    return check_tables(tables, name="edged.toml", folder=Path("/"))


def names(tmp_path: Path) -> set[str]:
    return {path.name for path in tmp_path.iterdir()}


def test_the_trace_of_the_only_camera_is_the_file_that_was_named(traces: Traces, tmp_path: Path) -> None:
    traces.opened_for(watching("yard"))
    assert names(tmp_path) == {"tracks.txt"}


def test_of_several_cameras_each_has_a_file_with_its_name(traces: Traces, tmp_path: Path) -> None:
    traces.opened_for(watching("yard", "gate"))
    assert names(tmp_path) == {"tracks-yard.txt", "tracks-gate.txt"}


def test_a_camera_that_a_reload_leaves_keeps_its_trace_and_one_that_it_brings_gets_one(
    traces: Traces, tmp_path: Path
) -> None:
    traces.opened_for(watching("yard"))
    before = traces.of["yard"]
    traces.opened_for(watching("yard", "gate"))
    traces.opened_for(watching("gate"))
    assert traces.of["yard"] is before
    assert names(tmp_path) == {"tracks.txt", "tracks-gate.txt"}


def test_a_model_that_may_number_its_labels_in_another_way_is_refused(traces: Traces) -> None:
    traces.opened_for(watching("yard"))
    with pytest.raises(ConfigError, match=r"model\.path: cannot be changed while edged run --trace goes on"):
        traces.opened_for(watching("yard", model="picodet-s"))
