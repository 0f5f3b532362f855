from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.unit.cli.conftest import EDGED


def ended(arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run edged by a shell, which can close its stdout."""
    command = f"{shlex.join(EDGED)} {arguments}"
    return subprocess.run(
        ["/bin/sh", "-c", command], capture_output=True, text=True, env={**os.environ, **environment}, check=False
    )


@pytest.mark.slow
@pytest.mark.parametrize("command", ["--version", "models list", "check-config --example"])
@pytest.mark.parametrize(
    ("where", "why"), [(">&-", "it is closed"), (">/dev/full", "No space left on device")], ids=["closed", "full"]
)
def test_an_output_that_cannot_be_written_is_told_in_a_sentence(command: str, where: str, why: str) -> None:
    result = ended(f"{command} {where}")
    assert result.stderr.splitlines()[0] == f"Standard output cannot be written: {why}."
    assert len(result.stderr.splitlines()) == 2
    assert result.returncode == 7


@pytest.mark.slow
def test_a_mistake_is_told_though_stdout_is_closed(tmp_path: Path) -> None:
    result = ended(f"events --data {tmp_path} >&-")
    assert "no event log" in result.stderr
    assert result.returncode == 5


@pytest.mark.slow
def test_a_command_ends_well_though_stderr_is_closed() -> None:
    assert ended("models list 2>&-").returncode == 0


@pytest.mark.slow
def test_a_terminal_without_unicode_gets_what_it_can_show() -> None:
    result = ended("models list", LC_ALL="POSIX", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert (result.returncode, result.stderr) == (0, "")
    assert "320 ? 320" in result.stdout
