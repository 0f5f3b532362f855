from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from edged import __version__
from tests.unit.cli.conftest import Edged


def test_the_version_is_printed(edged: Edged) -> None:
    assert edged("--version").out == f"edged {__version__}\n"


def test_without_a_command_the_help_is_shown(edged: Edged) -> None:
    result = edged()
    assert "check-config" in result.out + result.err


@pytest.mark.parametrize(
    "command",
    [
        ["run"],
        ["demo"],
        ["events"],
        ["status"],
        ["check-config"],
        ["models"],
        ["models", "list"],
        ["models", "verify"],
    ],
)
def test_every_command_explains_itself_in_sentences(edged: Edged, command: list[str]) -> None:
    result = edged(*command, "--help")
    assert result.code == 0
    assert "Usage: edged " + " ".join(command) in result.out
    sentences = result.out.split("\n\n")[1].strip()
    assert sentences.endswith(".")


@pytest.mark.parametrize("command", [["run", "-c", "edged.toml"], ["demo", "--source", "yard.mp4"]])
def test_a_label_for_a_trace_that_nobody_wants_is_a_mistake(edged: Edged, command: list[str]) -> None:
    result = edged(*command, "--trace-label", "vehicle")
    assert result.code == 2
    assert "--trace-label says what goes into --trace" in result.err


def test_a_mistyped_command_is_a_mistake_of_the_command_line(edged: Edged) -> None:
    result = edged("evnets")
    assert result.code == 2
    assert "evnets" in result.err


def test_an_error_ends_with_its_exit_code_and_what_to_do(edged: Edged) -> None:
    result = edged("check-config", "/nowhere/edged.toml")
    assert result.code == 2
    assert result.out == ""
    assert result.err.splitlines() == [
        "There is no file /nowhere/edged.toml.",
        "  For a commented file to start from: edged check-config --example > edged.toml",
    ]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc is Linux's")
def test_numpy_starts_no_threads_of_its_own() -> None:
    script = """
import os, sys
from edged.cli.main import main
try:
    main(["--version"])
except SystemExit:
    import numpy
print(sorted({"numpy"} & sys.modules.keys()), len(os.listdir("/proc/self/task")))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("['numpy'] 1\n")


def test_ctrl_c_before_a_command_has_begun_ends_it_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text(
        "import signal\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # in the background shells have it ignored
        "signal.raise_signal(signal.SIGINT)\n"
    )
    command = [sys.executable, "-m", "edged", "--version"]
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{Path(__file__).parents[3]}"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere a folder that somebody is in stays")
@pytest.mark.parametrize("command", ["demo --source a.mp4", "replay a.mp4", "setup --yes -o a.toml"])
def test_in_a_folder_that_was_deleted_a_command_says_so(tmp_path: Path, command: str) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    words = ["sh", "-c", 'rmdir "$PWD" && exec "$@"', "sh", sys.executable, "-m", "edged", *command.split()]
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "The folder that this command runs in was deleted.\n  Go to another: cd FOLDER\n"


def test_a_question_that_is_not_answered_ends_a_command_as_an_interrupted_one(tmp_path: Path) -> None:
    terminal, of_command = pty.openpty()
    command = [sys.executable, "-m", "edged", "setup", "-o", str(tmp_path / "edged.toml")]
    with subprocess.Popen(command, stdin=of_command, stdout=of_command, stderr=of_command) as process:
        os.close(of_command)
        os.write(terminal, b"\x04")  # Ctrl-D
        assert process.wait(30) == 130
    os.close(terminal)
