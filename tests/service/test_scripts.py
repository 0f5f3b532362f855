"""The scripts that hand files of the user's on to Python, in a clone whose Python only says where it was called."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"


def program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


@pytest.mark.parametrize(
    "command",
    [
        ["demo", "clip.mp4"],
        ["bench", "startup", "--source", "clip.mp4"],
        ["score", "trace.txt", "gt.txt"],
        ["get_model", "picodet-s-416"],
        ["typed_onnx", "model"],
        ["train_builtin", "train"],
    ],
    ids=lambda command: command[0],
)
def test_files_that_the_user_names_count_from_where_the_user_stands(tmp_path: Path, command: list[str]) -> None:
    clone, elsewhere = tmp_path / "clone", tmp_path / "elsewhere"
    script = clone / "scripts" / command[0]
    program(clone / "scripts/env", "")
    program(clone / "scripts/benchmarks/startup.py", "")
    for name in (".venv/bin/edged", ".venv/bin/python", ".venv-optimize/bin/python"):
        program(clone / name, "pwd")
    shutil.copy(SCRIPTS / command[0], script)
    elsewhere.mkdir()
    done = subprocess.run([script, *command[1:]], cwd=elsewhere, capture_output=True, text=True, check=True)
    assert done.stdout == f"{elsewhere}\n"
