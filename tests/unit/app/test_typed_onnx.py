"""scripts/typed_onnx: from a model folder to a model that says its types."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("onnx", reason="no onnx here: pip install -e '.[tensorrt-check]', or scripts/env optimize")

from edged.app.typed_onnx import Agreement, main, write_typed
from edged.backends.tensorrt.onnx_file import read_onnx
from edged.errors import ModelInvalid, SourceError, SourceNotFound
from edged.testing.onnx_model import write_tiny_onnx_model
from tests.models import yolo26n_end2end_folder, yolox_folder

pytestmark = pytest.mark.slow


TINY_TOML = """
name = "tiny"
licence = "Apache-2.0"
source = "edged.testing"
labels = ["person"]
[input]
width_px = 64
height_px = 32
colour = "rgb"
resize = "letterbox"
mean = [0, 0, 0]
scale = [0.0039, 0.0039, 0.0039]
[head]
family = "yolox"
strides = [8]
[thresholds]
low_confidence = 0.1
high_confidence = 0.5
[onnx]
model = "tiny.onnx"
input = "in0"
outputs = ["out0"]
"""


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A model folder that needs no weights of others."""
    write_tiny_onnx_model(tmp_path, shape=(3, 32, 64))
    (tmp_path / "model.toml").write_text(TINY_TOML)
    return tmp_path


@pytest.fixture
def folder(tmp_path: Path, shared_dir: Path) -> Path:
    return yolox_folder(tmp_path, shared_dir)


@pytest.fixture
def pictures(shared_dir: Path) -> Path:
    return shared_dir / "images"


def test_float16_needs_nothing_but_the_model(tiny: Path) -> None:
    target, agreement = write_typed(tiny, "fp16")
    assert target == tiny / "tiny-fp16.onnx"
    assert agreement is None
    assert read_onnx(target)[0].half


def test_a_model_that_cannot_be_compared_leaves_no_file(tiny: Path) -> None:
    (tiny / "pictures").mkdir()
    with pytest.raises(SourceError, match="holds no pictures"):
        write_typed(tiny, "fp16", tiny / "pictures")
    assert list(tiny.glob("*fp16*")) == []


def test_int8_is_measured_and_compared_on_pictures(tmp_path: Path, shared_dir: Path, pictures: Path) -> None:
    target, agreement = write_typed(yolo26n_end2end_folder(tmp_path, shared_dir), "int8", pictures)
    assert read_onnx(target)[0].quantized
    assert agreement is not None
    assert agreement.there >= 5
    assert agreement.share >= 0.8


def test_a_model_that_does_not_bear_int8_is_refused_and_leaves_no_file(folder: Path, pictures: Path) -> None:
    with pytest.raises(ModelInvalid, match=r"finds \d of \d+ objects again[^$]*fp16"):
        write_typed(folder, "int8", pictures)
    assert list(folder.glob("*int8*")) == []


def test_int8_without_pictures_is_refused(tiny: Path) -> None:
    with pytest.raises(SourceNotFound, match="--pictures"):
        write_typed(tiny, "int8")


def test_the_command_needs_no_pictures_for_float16(tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tiny), "fp16"]) == 0
    assert 'model = "tiny-fp16.onnx"' in capsys.readouterr().out
    assert main([str(tiny), "int8"]) == 3
    assert "--pictures" in capsys.readouterr().err


def test_the_command_says_what_to_write_into_the_description(
    folder: Path, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(folder), "fp16", "--pictures", str(pictures)]) == 0
    said = capsys.readouterr().out
    assert 'model = "yolox_nano-fp16.onnx"' in said
    assert "objects again" in said
    assert main([str(folder / "gone"), "fp16"]) == 4
    assert "gone" in capsys.readouterr().err


def test_nothing_to_find_is_no_disagreement() -> None:
    assert Agreement(0, 0).share == 1.0
    assert str(Agreement(3, 4)) == "3 of 4 objects"
