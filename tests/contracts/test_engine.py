"""What every engine promises before anything is loaded, the scripted one included."""

from __future__ import annotations

from pathlib import Path

import pytest

from edged.backends.catalogue import BUILT_IN
from edged.domain.engines import Absent, EngineOptions, ModelFiles, Present
from edged.errors import ModelError
from edged.ports import Engine
from edged.testing.engine import ScriptedEngine

ENGINES = (*BUILT_IN, ScriptedEngine("scripted"))

pytestmark = pytest.mark.parametrize("engine", ENGINES, ids=[engine.name for engine in ENGINES])


def test_it_has_a_name_of_its_own_and_takes_files(engine: Engine) -> None:
    assert [other.name for other in ENGINES].count(engine.name) == 1
    assert engine.formats
    assert len(set(engine.formats)) == len(engine.formats)


def test_it_says_whether_it_is_here_or_why_not_and_what_to_do(engine: Engine) -> None:
    presence = engine.presence()
    if isinstance(presence, Absent):
        assert presence.reason
        assert not presence.reason.endswith(".")
        assert presence.hint
    else:
        assert isinstance(presence, Present)
        assert presence.detail


def test_files_that_are_missing_or_an_engine_that_is_are_an_error_of_edged(engine: Engine, tmp_path: Path) -> None:
    keys = {"ncnn": ("param", "bin"), "tensorrt": ("engine",)}.get(engine.formats[0], ("model",))
    files = {key: tmp_path / f"nowhere.{key}" for key in keys}
    missing = ModelFiles("yard", engine.formats[0], files, "in0", ("out0",), (3, 32, 32))
    with pytest.raises(ModelError) as caught:
        engine.load(missing, EngineOptions(cache_dir=tmp_path))
    assert caught.value.hint
