"""What root keeps for a daemon that is another user."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edged.backends.graph_cache import GraphCache
from edged.backends.tensorrt.sealed import write_sealed

OWNER, GROUP = 65534, 65533


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files for others")
def test_what_root_keeps_belongs_to_the_owner_of_the_folder(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    os.chown(data, OWNER, GROUP)
    write_sealed(data / "cache" / "tensorrt" / "m.engine", b"an engine", {})
    with GraphCache(data / "cache", tmp_path / "m.onnx", "key").being_written() as draft:
        draft.write_bytes(b"a graph")
    made = list((data / "cache").rglob("*"))
    assert len(made) == 3
    assert {(path.stat().st_uid, path.stat().st_gid) for path in (data / "cache", *made)} == {(OWNER, GROUP)}


def test_what_others_keep_is_their_own(tmp_path: Path) -> None:
    write_sealed(tmp_path / "cache" / "m.engine", b"an engine", {})
    assert (tmp_path / "cache" / "m.engine").owner() == tmp_path.owner()
