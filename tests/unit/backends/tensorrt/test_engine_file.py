"""Engines that others built."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

from edged.backends.tensorrt.engine_file import read_engine
from edged.errors import ModelInvalid, ModelNotFound

METADATA = json.dumps({"description": "Ultralytics YOLO26n", "imgsz": [640, 640], "names": {"0": "größer"}}).encode()


def _file(folder: Path, content: bytes) -> Path:
    path = folder / "model.engine"
    path.write_bytes(content)
    return path


def test_a_bare_engine_is_taken_as_it_is(tmp_path: Path) -> None:
    assert read_engine(_file(tmp_path, b"ftrt and more")) == b"ftrt and more"


def test_the_json_in_front_of_ultralytics_engines_is_taken_off(tmp_path: Path) -> None:
    content = struct.pack("<i", len(METADATA)) + METADATA + b"ftrt and more"
    assert read_engine(_file(tmp_path, content)) == b"ftrt and more"


@pytest.mark.parametrize("kept", [0, 5, 30])
def test_ultralytics_file_cut_off_within_its_json_is_refused(tmp_path: Path, kept: int) -> None:
    content = struct.pack("<i", len(METADATA)) + METADATA[:kept]
    if kept == 0:  # four bytes are no engine, which only TensorRT can say
        assert read_engine(_file(tmp_path, content)) == content
    else:
        with pytest.raises(ModelInvalid, match="description is damaged"):
            read_engine(_file(tmp_path, content))


def test_a_file_without_an_engine_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelInvalid, match="holds no engine"):
        read_engine(_file(tmp_path, b""))
    with pytest.raises(ModelInvalid, match="holds no engine"):
        read_engine(_file(tmp_path, struct.pack("<i", len(METADATA)) + METADATA))


def test_a_brace_at_the_fifth_byte_of_a_bare_engine_is_no_json(tmp_path: Path) -> None:
    content = struct.pack("<i", 2**30) + b"{ engine"
    assert read_engine(_file(tmp_path, content)) == content


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match=r"gone\.engine"):
        read_engine(tmp_path / "gone.engine")
