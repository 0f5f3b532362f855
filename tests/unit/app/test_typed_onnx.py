"""scripts/typed_onnx: from a model folder to a model that says its types."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("onnx", reason="no onnx here: pip install 'edged[tensorrt-check]', or scripts/env optimize")

from edged.app.typed_onnx import main, write_typed
from edged.backends.tensorrt.onnx_file import read_onnx
from edged.errors import SourceNotFound
from edged.testing.onnx_model import write_tiny_onnx_model

pytestmark = pytest.mark.slow

TOML = """
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
def folder(tmp_path: Path) -> Path:
    write_tiny_onnx_model(tmp_path, shape=(3, 32, 64))
    (tmp_path / "model.toml").write_text(TOML)
    return tmp_path


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    shown = tmp_path / "pictures"
    shown.mkdir()
    for number in range(3):
        image = np.random.default_rng(number).integers(0, 256, (48, 64, 3), np.uint8)
        cv2.imwrite(str(shown / f"{number}.png"), image)
    return shown


def test_float16_needs_nothing_but_the_model(folder: Path) -> None:
    target = write_typed(folder, "fp16")
    assert target == folder / "tiny-fp16.onnx"
    assert read_onnx(target)[0].half


def test_int8_is_measured_on_pictures_as_the_detector_sees_them(folder: Path, pictures: Path) -> None:
    assert read_onnx(write_typed(folder, "int8", pictures))[0].quantized


def test_int8_without_pictures_is_refused(folder: Path) -> None:
    with pytest.raises(SourceNotFound, match="--pictures"):
        write_typed(folder, "int8")


def test_the_command_says_what_to_write_into_the_description(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(folder), "fp16"]) == 0
    assert 'model = "tiny-fp16.onnx"' in capsys.readouterr().out
    assert main([str(folder / "gone"), "fp16"]) == 4
    assert "gone" in capsys.readouterr().err
