"""The models of others: the pinned file and no other becomes a model folder that edged can use."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("pnnx", reason="no pnnx here: scripts/env optimize makes an environment that has it")

import cv2

from edged.detect.load import load_spec
from edged.detect.selfcheck import try_model
from edged.domain.frame import Frame
from edged.optimize.classes import COCO_IDS
from edged.optimize.photos import read_image
from edged.optimize.published import main
from edged.optimize.second_look import SURE, look_with, seen_in
from tests.unit.detect.engines import ncnn_fp32


def test_the_published_file_becomes_a_folder_that_finds_people_and_a_bus(tmp_path: Path, shared_dir: Path) -> None:
    onnx = shared_dir / "models" / "picodet-s" / "picodet_s_416_coco.onnx"

    assert main(["picodet-s-416", "--out", str(tmp_path / "model"), "--onnx", str(onnx)]) == 0

    detector = try_model(load_spec(tmp_path / "model"), ncnn_fp32)
    found = detector.detect(Frame.of(cv2.imread(str(shared_dir / "images" / "bus.jpg"))))  # type: ignore[arg-type]
    detector.close()
    labels = [detector.labels[class_id] for class_id in found.class_id]
    assert labels.count("person") >= 4
    assert "bus" in labels


def test_the_folder_serves_for_a_second_look(tmp_path: Path, shared_dir: Path) -> None:
    onnx = shared_dir / "models" / "picodet-s" / "picodet_s_416_coco.onnx"
    assert main(["picodet-s-416", "--out", str(tmp_path / "model"), "--onnx", str(onnx)]) == 0

    seen = seen_in(read_image(shared_dir / "images" / "bus.jpg"), look_with(tmp_path / "model"))

    assert (seen.class_id == COCO_IDS["person"]).sum() >= 3
    assert (seen.class_id == COCO_IDS["bus"]).sum() == 1
    assert (seen.confidence >= SURE).all()


def test_another_file_is_refused_with_both_checksums(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "other.onnx"
    other.write_bytes(b"something else")

    assert main(["picodet-s-416", "--out", str(tmp_path / "model"), "--onnx", str(other)]) == 4
    assert "cdab77bd" in capsys.readouterr().err
    assert not (tmp_path / "model").exists()


def test_a_file_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["picodet-s-320", "--out", str(tmp_path / "model"), "--onnx", str(tmp_path / "none.onnx")]) == 4
    assert "none.onnx" in capsys.readouterr().err
