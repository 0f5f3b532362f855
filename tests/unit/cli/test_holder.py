from __future__ import annotations

import fcntl
import os
from pathlib import Path

from edged.cli.holder import holder
from edged.store.lock import FolderLock


def test_the_holder_of_the_lock_is_named_until_it_lets_go(tmp_path: Path) -> None:
    lock = FolderLock(tmp_path)
    assert holder(tmp_path) is None
    lock.acquire()
    assert holder(tmp_path) == os.getpid()
    lock.release()
    assert holder(tmp_path) is None


def test_asking_for_the_holder_does_not_keep_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "edged.lock"
    path.write_text(f"{os.getpid()}\n")
    assert holder(tmp_path) is None
    with path.open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_lock_that_says_nothing_names_nobody(tmp_path: Path) -> None:
    (tmp_path / "edged.lock").write_bytes(b"\xff")
    assert holder(tmp_path) is None


def test_a_named_pipe_in_the_locks_place_names_nobody(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "edged.lock")
    assert holder(tmp_path) is None
