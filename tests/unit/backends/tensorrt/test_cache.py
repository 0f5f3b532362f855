"""Engines that were built before."""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from pathlib import Path

import pytest

from edged.backends.tensorrt.cache import EngineCache, EngineKey
from edged.backends.tensorrt.sealed import NotSealed, read_sealed, write_sealed

KEY = EngineKey("ab" * 32, "10.3.0", "Orin", "8.7", "fp16", (3, 320, 320), None)


def test_what_was_kept_is_found_again(tmp_path: Path) -> None:
    EngineCache(tmp_path / "new" / "folder").keep(KEY, "yolo", b"engine")
    assert EngineCache(tmp_path / "new" / "folder").find(KEY, "yolo") == b"engine"


@pytest.mark.parametrize(
    "other",
    [
        replace(KEY, model_sha256="cd" * 32),
        replace(KEY, tensorrt="10.3.1"),
        replace(KEY, gpu="Xavier"),
        replace(KEY, compute_capability="7.2"),
        replace(KEY, precision="int8"),
        replace(KEY, input_shape=(3, 320, 640)),
        replace(KEY, dla_core=0),
    ],
)
def test_an_engine_for_anything_else_is_not_found(tmp_path: Path, other: EngineKey) -> None:
    cache = EngineCache(tmp_path)
    cache.keep(KEY, "yolo", b"engine")
    assert cache.find(other, "yolo") is None


def test_an_engine_that_was_renamed_to_another_keys_name_is_not_used(tmp_path: Path) -> None:
    cache, other = EngineCache(tmp_path), replace(KEY, tensorrt="8.5.2")
    cache.keep(KEY, "yolo", b"engine")
    (tmp_path / KEY.file_name("yolo")).rename(tmp_path / other.file_name("yolo"))
    assert cache.find(other, "yolo") is None


def test_an_engine_cut_off_or_damaged_anywhere_is_not_used(tmp_path: Path) -> None:
    cache = EngineCache(tmp_path)
    cache.keep(KEY, "yolo", b"a whole engine")
    path = tmp_path / KEY.file_name("yolo")
    whole = path.read_bytes()
    for at in range(len(whole)):
        path.write_bytes(whole[:at])
        assert cache.find(KEY, "yolo") is None
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
        assert cache.find(KEY, "yolo") is None


def test_engines_of_an_older_tensorrt_are_removed_and_others_stay(tmp_path: Path) -> None:
    cache = EngineCache(tmp_path)
    old, other_model, other_size = (
        replace(KEY, tensorrt="10.0.1"),
        replace(KEY, tensorrt="10.0.1", model_sha256="cd" * 32),
        replace(KEY, tensorrt="10.0.1", input_shape=(3, 640, 640)),
    )
    for key in (old, other_model, other_size):
        cache.keep(key, "yolo", b"engine")
    (tmp_path / "yolo-notes.engine").write_bytes(b"not edged's")
    cache.keep(KEY, "yolo", b"engine")
    assert cache.find(old, "yolo") is None
    assert all(cache.find(key, "yolo") == b"engine" for key in (KEY, other_model, other_size))
    assert (tmp_path / "yolo-notes.engine").exists()


def test_what_a_cut_of_power_left_of_a_write_goes_with_the_next(tmp_path: Path) -> None:
    name = KEY.file_name("yolo")
    for left in (f".{name}.k3j9", f".{replace(KEY, tensorrt='10.0.1').file_name('yolo')}.x_1"):
        (tmp_path / left).write_bytes(b"half an eng")
    EngineCache(tmp_path).keep(KEY, "yolo", b"engine")
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_nothing_is_left_of_a_write_that_failed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_bytes(b"")
    cache = EngineCache(tmp_path / "file")  # where no folder can be
    cache.keep(KEY, "yolo", b"engine")
    cache.keep_timings(KEY, b"timings")
    assert cache.find(KEY, "yolo") is None
    assert cache.timings(KEY) == b""
    assert "cannot be kept" in caplog.text
    (tmp_path / KEY.file_name("yolo")).mkdir()  # the name is taken
    EngineCache(tmp_path).keep(KEY, "yolo", b"engine")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["file", KEY.file_name("yolo")])


def test_a_refused_engine_is_forgotten(tmp_path: Path) -> None:
    cache = EngineCache(tmp_path)
    cache.keep(KEY, "yolo", b"engine")
    cache.forget(KEY, "yolo")
    cache.forget(KEY, "yolo")
    assert list(tmp_path.iterdir()) == []


def test_timings_are_those_of_this_tensorrt_and_gpu(tmp_path: Path) -> None:
    cache = EngineCache(tmp_path)
    cache.keep_timings(KEY, b"timings")
    assert cache.timings(replace(KEY, model_sha256="cd" * 32)) == b"timings"
    assert cache.timings(replace(KEY, tensorrt="11.4.1")) == b""
    assert cache.timings(replace(KEY, gpu="Xavier")) == b""


def test_without_a_folder_nothing_is_kept_or_found() -> None:
    cache = EngineCache(None)
    cache.keep(KEY, "yolo", b"engine")
    cache.keep_timings(KEY, b"timings")
    cache.forget(KEY, "yolo")
    assert cache.find(KEY, "yolo") is None
    assert cache.timings(KEY) == b""


def test_the_header_of_a_kept_engine_can_be_read_by_people(tmp_path: Path) -> None:
    path = tmp_path / "x.engine"
    write_sealed(path, b"payload", {"tensorrt": "10.3.0"})
    content = path.read_bytes()
    header = json.loads(content[12 : 12 + struct.unpack_from("<I", content, 8)[0]])
    assert header["labels"] == {"tensorrt": "10.3.0"}
    assert header["payload_bytes"] == 7
    assert read_sealed(path) == ({"tensorrt": "10.3.0"}, b"payload")


@pytest.mark.parametrize(
    "header", [b"[]", b"{}", b"nonsense", b'{"labels": 3, "payload_bytes": 0, "payload_sha256": ""}']
)
def test_a_header_that_makes_no_sense_is_refused(tmp_path: Path, header: bytes) -> None:
    path = tmp_path / "x.engine"
    path.write_bytes(b"EDGEDTRT" + struct.pack("<I", len(header)) + header)
    with pytest.raises(NotSealed, match="header"):
        read_sealed(path)
