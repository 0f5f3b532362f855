"""scripts/env with a Python that only pretends to make environments: no network, no packages."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts/env"
# Run by its name in an environment it is that environment's python, which `pip` and `edged` there call.
PYTHON = r"""#!/bin/sh
program() { printf '#!/bin/sh\nexec "%s" "$0" "$@"\n' "$2" > "$1" && chmod +x "$1"; }
case "$*" in
  --version) echo "Python 3.$(cat "${0%/*}/minor" 2> /dev/null || echo 11)" ;;
  "-m venv --clear "*)
    rm -rf "$4" && mkdir -p "$4/bin" && cp "$0" "$4/bin/python" && program "$4/bin/pip" "$PWD/$4/bin/python" ;;
  */pip*install*) program "${1%/*}/edged" "$0" && echo installed >> "${1%/*}/log" ;;
  */edged*) echo "of $0" ;;
esac
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    folder = tmp_path / "a clone"
    (folder / "scripts").mkdir(parents=True)
    shutil.copy(SCRIPT, folder / "scripts/env")
    (folder / "pyproject.toml").touch()
    return folder


@pytest.fixture
def python(tmp_path: Path) -> Path:
    path = tmp_path / "python"
    path.write_text(PYTHON)
    path.chmod(0o755)
    return path


def make_environment(clone: Path, python: Path) -> None:
    subprocess.run([clone / "scripts/env", "run"], env={**os.environ, "PYTHON": str(python)}, check=True)


def who_answers(clone: Path) -> str:
    return subprocess.run([clone / ".venv/bin/edged"], capture_output=True, text=True, check=True).stdout


def installations(clone: Path) -> int:
    return len((clone / ".venv/bin/log").read_text().split())


def test_an_environment_that_is_as_wanted_is_left_alone(clone: Path, python: Path) -> None:
    make_environment(clone, python)
    make_environment(clone, python)
    assert installations(clone) == 1
    (clone / "pyproject.toml").write_text("# another dependency")
    make_environment(clone, python)
    assert installations(clone) == 2


def test_a_clone_that_was_renamed_gets_an_environment_that_works(clone: Path, python: Path) -> None:
    make_environment(clone, python)
    renamed = clone.rename(clone.with_name("another"))
    make_environment(renamed, python)
    assert who_answers(renamed) == f"of {renamed}/.venv/bin/python\n"


def test_a_copy_of_a_clone_runs_itself_and_not_what_it_was_copied_from(clone: Path, python: Path) -> None:
    make_environment(clone, python)
    copy = shutil.copytree(clone, clone.with_name("copy"))
    make_environment(copy, python)
    assert who_answers(copy) == f"of {copy}/.venv/bin/python\n"


def test_an_upgrade_of_the_system_that_took_its_python_away_is_no_obstacle(clone: Path, python: Path) -> None:
    make_environment(clone, python)
    (clone / ".venv/bin/python").write_text("#!/bin/sh\nexit 1\n")  # no pip for the new one
    python.with_name("minor").write_text("13")
    make_environment(clone, python)
    assert who_answers(clone) == f"of {clone}/.venv/bin/python\n"
