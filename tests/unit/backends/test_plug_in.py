"""Engines that other packages bring."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edged.backends.catalogue import BUILT_IN, ENTRY_POINTS, all_engines
from edged.backends.choice import choose
from edged.domain.engines import Absent, EngineOptions, ModelFiles, Present
from edged.errors import BackendError

PACKAGE = """
import numpy as np
from edged.domain.engines import Present


class Doubler:
    name = "doubler"
    formats = ("doubler",)

    def presence(self):
        return Present("doubler 1.0", accelerated=True)

    def load(self, files, options):
        if not files.files:
            raise OSError("no chip")
        return self

    def infer(self, blob):
        return [blob * 2]

    def close(self):
        pass


ENGINE = Doubler()
"""

FILES = ModelFiles("yard", "doubler", {"model": Path("yard.x")}, "in0", ("out0",), (3, 2, 2))


def _entry(value: str, name: str = "doubler") -> EntryPoint:
    return EntryPoint(name=name, value=value, group=ENTRY_POINTS)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package `edged_doubler`, installed as pip would leave it."""
    (tmp_path / "edged_doubler.py").write_text(PACKAGE)
    info = tmp_path / "edged_doubler-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: edged-doubler\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{ENTRY_POINTS}]\ndoubler = edged_doubler:ENGINE\n")
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.mark.usefixtures("installed")
def test_an_installed_package_adds_an_engine_which_comes_before_edgeds_own() -> None:
    engines = all_engines()
    assert [engine.name for engine in engines] == ["doubler", *(engine.name for engine in BUILT_IN)]
    assert engines[0].presence() == Present("doubler 1.0", accelerated=True)
    assert engines[0].formats == ("doubler",)
    backend = engines[0].load(FILES, EngineOptions())
    np.testing.assert_array_equal(backend.infer(np.ones((3, 2, 2), np.float32))[0], np.full((3, 2, 2), 2))


@pytest.mark.usefixtures("installed")
def test_its_package_is_not_imported_before_it_is_asked_something() -> None:
    sys.modules.pop("edged_doubler", None)
    engine = all_engines()[0]
    assert "edged_doubler" not in sys.modules
    engine.presence()
    assert "edged_doubler" in sys.modules


@pytest.mark.parametrize("value", ["edged_nowhere:ENGINE", "edged.errors:NOTHING"])
def test_a_package_that_cannot_be_imported_is_an_absent_engine_that_says_why(value: str) -> None:
    engine = all_engines([_entry(value)])[0]
    presence = engine.presence()
    assert isinstance(presence, Absent)
    assert value in presence.reason
    assert engine.formats == ("doubler",)
    with pytest.raises(BackendError, match="cannot be imported"):
        engine.load(FILES, EngineOptions())


class Raising:
    """A plug-in whose driver answers with an exception."""

    @property
    def formats(self) -> tuple[str, ...]:
        raise KeyError("formats")

    def presence(self) -> None:
        raise PermissionError("/dev/doubler0")


RAISING = Raising()


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (f"{__name__}:RAISING", "PermissionError: /dev/doubler0"),
        (f"{__name__}:PACKAGE", "AttributeError: 'str' object has no attribute 'presence'"),
    ],
)
def test_a_plug_in_that_fails_when_it_is_asked_is_absent_and_keeps_no_other_engine_from_running(
    value: str, reason: str
) -> None:
    engines = all_engines([_entry(value)])
    presence = engines[0].presence()
    assert isinstance(presence, Absent)
    assert reason in presence.reason
    choice = choose("auto", engines, {"ncnn", "doubler"})
    assert [engine.name for engine, _ in choice.candidates] == ["ncnn"]


@pytest.mark.usefixtures("installed")
def test_what_a_plug_in_raises_becomes_an_error_of_edged() -> None:
    nothing = ModelFiles("yard", "doubler", {}, "in0", ("out0",), (3, 2, 2))
    with pytest.raises(BackendError, match=r"plug-in doubler.*OSError: no chip"):
        all_engines()[0].load(nothing, EngineOptions())


@pytest.mark.usefixtures("installed")
def test_what_a_plug_in_raises_on_a_picture_becomes_an_error_of_edged_that_names_it() -> None:
    backend = all_engines()[0].load(FILES, EngineOptions())
    nonsense: Any = "a text has no double that numpy takes"
    with pytest.raises(BackendError, match=r"plug-in doubler.*failed on a picture: ValueError"):
        backend.infer(nonsense)


@pytest.mark.parametrize("name", ["ncnn", "auto"])
def test_a_plug_in_cannot_take_the_name_of_an_engine_of_edged(name: str, caplog: pytest.LogCaptureFixture) -> None:
    assert all_engines([_entry("edged.errors:NOTHING", name)]) == BUILT_IN
    assert f"edged has an engine {name}" in caplog.text
