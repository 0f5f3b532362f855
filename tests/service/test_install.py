"""scripts/install into a folder, as a package is made of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def _install(dest: Path, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DESTDIR": str(dest), "PYTHON": sys.executable, **more}
    return subprocess.run(
        [ROOT / "scripts/install"], env=environment, capture_output=True, text=True, check=False, umask=0o077
    )


@pytest.mark.slow
def test_what_is_installed_works_and_knows_nothing_of_where_it_was_made(tmp_path: Path) -> None:
    done = _install(tmp_path)
    assert done.returncode == 0, done.stderr

    home = tmp_path / "opt/edged"
    version = subprocess.run([home / "bin/python", "-I", "-m", "edged", "--version"], capture_output=True, text=True)
    assert version.stdout.startswith("edged ")
    assert (home / "bin/edged").read_text().splitlines()[0].startswith("#!/opt/edged/bin/python")
    written = [file for folder in (home / "bin", tmp_path / "usr") for file in folder.rglob("*") if file.is_file()]
    texts = [file for file in written if not file.is_symlink() and file.stat().st_size < 100_000]
    assert [file for file in texts if str(tmp_path) in file.read_text(errors="replace")] == []
    for unit in ("systemd/system/edged.service", "sysusers.d/edged.conf", "tmpfiles.d/edged.conf"):
        assert (tmp_path / "usr/lib" / unit).is_file()
    files = (*home.rglob("*"), *(tmp_path / "usr").rglob("*"))
    hidden = [file for file in files if not file.lstat().st_mode & 0o004]
    assert hidden == []  # though root's own files are: edged's user reads them
    assert not (tmp_path / "etc").exists()  # what is there belongs to the box


def test_a_system_without_venv_is_told_what_to_install(tmp_path: Path) -> None:
    python = tmp_path / "python3"
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o755)
    done = _install(tmp_path, PYTHON=str(python))
    assert done.returncode == 1
    assert "python3-venv" in done.stderr


def test_a_32_bit_system_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    python = tmp_path / "python3"
    python.write_text('#!/bin/sh\ncase "$2" in *struct*) echo 32 ;; esac\n')
    python.chmod(0o755)
    done = _install(tmp_path / "dest", PYTHON=str(python))
    assert done.returncode == 1
    assert "64-bit" in done.stderr
    assert not (tmp_path / "dest").exists()


_PYTHON = """#!/bin/sh
for dir; do :; done  # -m venv DIR
mkdir -p "$dir/bin" && touch "$dir/pyvenv.cfg"
printf '#!/bin/sh\\necho "$@" >> "%s"\\n' "$ASKED" > "$dir/bin/pip" && chmod +x "$dir/bin/pip"
"""


def test_engines_that_were_asked_for_come_again_with_every_update(tmp_path: Path) -> None:
    asked, python = tmp_path / "asked", tmp_path / "python3"
    python.write_text(_PYTHON)
    python.chmod(0o755)
    script = (
        'set -eu; . "$root/scripts/installation/files.sh"; make_environment "$dest/opt/edged.new" /opt/edged;'
        'rm -rf "$dest/opt/edged"; mv "$dest/opt/edged.new" "$dest/opt/edged"'
    )
    fixed = {"root": str(ROOT), "dest": str(tmp_path), "python": str(python), "ASKED": str(asked)}

    def installed(**more: str) -> str:
        asked.unlink(missing_ok=True)
        subprocess.run(["bash", "-c", script], env={**os.environ, **fixed, **more}, check=True)
        return asked.read_text().splitlines()[0].partition(f"install {ROOT}")[2]

    assert installed() == ""
    assert installed(EDGED_PACKAGES="onnxruntime cuda-python") == " onnxruntime cuda-python"
    assert installed() == " onnxruntime cuda-python"
    assert installed(EDGED_PACKAGES="") == ""
    assert installed() == ""


@pytest.mark.skipif(os.geteuid() == 0, reason="this user is root")
def test_without_root_it_says_so() -> None:
    done = subprocess.run([ROOT / "scripts/install"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "sudo" in done.stderr
