"""`edged models explain` and `edged models verify`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from edged.detect.catalogue import find_model
from tests.unit.cli.conftest import Edged


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy = tmp_path / "model"
    shutil.copytree(find_model("builtin"), copy)
    return copy


def test_the_commands_of_the_list_stay_whole_in_an_ordinary_terminal(
    edged: Edged, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    out = edged("models", "list").out
    assert "scripts/get_model picodet-s-416" in out
    assert "yolo export model=yolo11n.pt format=ncnn imgsz=320" in out


def test_explain_lists_every_engine_and_which_one_runs_the_model(edged: Edged) -> None:
    out = edged("models", "explain").out
    rows = {line.split()[0]: line for line in out.splitlines() if line.strip()}
    assert {"ncnn", "onnxruntime", "litert", "edgetpu"} <= set(rows)
    assert "runs the model" in rows["ncnn"]


def test_explain_of_an_engine_that_has_no_files_is_an_error(edged: Edged) -> None:
    result = edged("models", "explain", "--backend", "litert")
    assert result.code == 4
    assert "no files for the engine litert" in result.err


def test_verify_tries_every_engine_and_holds_it_to_the_golden_answer(edged: Edged) -> None:
    result = edged("models", "verify")  # builtin, as explain does
    assert result.code == 0
    (row,) = [line for line in result.out.splitlines() if line.strip().startswith("ncnn")]
    assert "sound" in row
    assert "objects, within 0." in row


def test_verify_shows_the_difference_and_exits_with_4(edged: Edged, folder: Path) -> None:
    answer = json.loads((folder / "golden.json").read_text())
    answer["objects"][0]["confidence"] = 0.1
    (folder / "golden.json").write_text(json.dumps(answer))
    result = edged("models", "verify", str(folder), "--backend", "ncnn")
    assert result.code == 4
    assert "FAILED" in result.out
    assert "10%" in result.err
    assert "found with" in result.err


def test_verify_says_which_engine_failed_and_how(edged: Edged, folder: Path) -> None:
    description = folder / "model.toml"
    description.write_text(description.read_text().partition("[sha256]")[0])
    (folder / "edged-nano.param").write_bytes(b"\0no text")
    (folder / "edged-nano.onnx").write_bytes(b"no graph")
    result = edged("models", "verify", str(folder))
    assert result.code == 4
    said = [line for line in result.err.splitlines() if not line.startswith(" ")]
    assert "edged-nano.param" in next(line for line in said if line.startswith("ncnn: "))
    assert "edged-nano.onnx" in next(line for line in said if line.startswith("onnxruntime: "))


def test_the_golden_answer_that_came_with_edged_is_not_recorded_over(edged: Edged) -> None:
    golden = find_model("builtin") / "golden.jpg"
    result = edged("models", "verify", "--image", str(golden), "--record")
    assert result.code == 2
    assert "builtin came with edged" in result.err


def test_verify_records_the_answer_when_it_is_told_to(edged: Edged, folder: Path) -> None:
    picture = folder.parent / "yard.jpg"
    (folder / "golden.jpg").rename(picture)
    (folder / "golden.json").unlink()
    result = edged("models", "verify", str(folder), "--backend", "ncnn", "--image", str(picture), "--record")
    assert result.code == 0
    assert f"recorded in {folder}: the picture and what is found in it" in result.out
    assert json.loads((folder / "golden.json").read_text())["objects"]
    assert (folder / "golden.jpg").read_bytes() == picture.read_bytes()


def test_verify_keeps_what_an_engine_built_for_the_next_time(
    edged: Edged, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert edged("models", "verify", "builtin", "--backend", "onnxruntime").code == 0
    (graph,) = (tmp_path / "edged").glob("onnxruntime-*.onnx")
    built_at_ns = graph.stat().st_mtime_ns
    assert edged("models", "verify", "builtin", "--backend", "onnxruntime").code == 0
    assert graph.stat().st_mtime_ns == built_at_ns
