"""The worked example of a plug-in runs as it is printed, over a stand-in for HailoRT's Python API."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edged.backends.catalogue import all_engines
from edged.domain.engines import Absent, EngineOptions, ModelFiles
from edged.errors import BackendError
from edged.ports import Engine
from tests.docs.documents import ROOT, fenced

DOCUMENT = ROOT / "docs" / "backends.md"
FILES = ModelFiles("yard", "hailo", {"model": Path("yard.hef")}, "in", ("a", "b"), (3, 2, 4))


class HailoRTException(Exception):
    """As HailoRT's."""


class Chip:
    """What the stand-in saw."""

    def __init__(self) -> None:
        self.open = 0
        self.fails = False

    @contextmanager
    def held(self) -> Iterator[Chip]:
        self.open += 1
        yield self
        self.open -= 1

    def configure(self, hef: str, wanted: object) -> list[Any]:
        return [SimpleNamespace(create_params=lambda: None, activate=lambda params: self.held())]

    def infer(self, inputs: dict[str, Any]) -> dict[str, Any]:
        if self.fails:
            raise HailoRTException("HAILO_TIMEOUT")
        (picture,) = inputs.values()
        return {"b": picture.sum(axis=(1, 2)), "a": picture * 2}


@pytest.fixture
def chip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Chip:
    """HailoRT and the example, installed as pip would leave them."""
    (code,) = fenced(DOCUMENT, "python")
    assert len(code.splitlines()) < 60
    (tmp_path / "edged_hailo.py").write_text(code)
    info = tmp_path / "edged_hailo-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: edged-hailo\nVersion: 1.0\n")
    entry = next(text for text in fenced(DOCUMENT, "toml") if "entry-points" in text).splitlines()[1]
    (info / "entry_points.txt").write_text(f"[edged.backends]\n{entry.replace(chr(34), '')}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    chip = Chip()
    hailo: Any = ModuleType("hailo_platform")
    hailo.__spec__ = ModuleSpec("hailo_platform", None)
    hailo.HailoRTException, hailo.HEF, hailo.VDevice = HailoRTException, str, chip.held
    hailo.ConfigureParams = SimpleNamespace(create_from_hef=lambda hef, interface: None)
    hailo.HailoStreamInterface, hailo.FormatType = SimpleNamespace(PCIe=0), SimpleNamespace(FLOAT32=0)
    hailo.InputVStreamParams = hailo.OutputVStreamParams = SimpleNamespace(make=lambda group, format_type: None)
    hailo.InferVStreams = lambda group, inputs, outputs: chip.held()
    monkeypatch.setitem(sys.modules, "hailo_platform", hailo)
    return chip


def _engine() -> Engine:
    return next(engine for engine in all_engines() if engine.name == "hailo")


def test_it_runs_a_model_and_lets_go_of_the_chip(chip: Chip) -> None:
    blob = np.random.default_rng(0).random(FILES.input_shape, dtype=np.float32)
    backend = _engine().load(FILES, EngineOptions())
    first, second = backend.infer(blob)
    np.testing.assert_allclose(first, blob.transpose(1, 2, 0) * 2, rtol=1e-6)
    np.testing.assert_allclose(second, blob.sum(axis=(1, 2)), rtol=1e-6)
    assert chip.open == 3
    backend.close()
    backend.close()
    assert chip.open == 0
    with pytest.raises(BackendError, match="closed"):
        backend.infer(blob)


def test_what_goes_wrong_is_an_error_of_edged(chip: Chip) -> None:
    backend = _engine().load(FILES, EngineOptions())
    with pytest.raises(BackendError, match=r"\(3, 2, 4\)"):
        backend.infer(np.zeros((3, 4, 2), np.float32))
    chip.fails = True
    with pytest.raises(BackendError, match="HAILO_TIMEOUT"):
        backend.infer(np.zeros(FILES.input_shape, np.float32))


@pytest.mark.usefixtures("chip")
def test_without_the_chip_it_is_absent_and_says_what_to_do() -> None:
    if any(Path("/dev").glob("hailo*")):
        pytest.skip("this machine has a Hailo accelerator")
    presence = _engine().presence()
    assert isinstance(presence, Absent)
    assert "/dev/hailo0" in presence.reason
