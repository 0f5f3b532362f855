"""Runs pnnx, the translator from onnx to ncnn, and reads what it says."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from edged.errors import EdgedError


class ExportError(EdgedError):
    """A model did not survive its translation."""


@dataclass(frozen=True, slots=True)
class Translation:
    """The two files, and what pnnx left out: it ends well even then."""

    param: Path
    weights: Path
    left_out: tuple[str, ...]


def translate(onnx: Path, folder: Path, *, name: str, size_px: int) -> Translation:
    """Write `folder`/NAME.param and NAME.bin, weights in fp16. Raises ExportError."""
    import pnnx

    program = Path(pnnx.__file__).parent / "pnnx"
    param, weights = (folder.resolve() / f"{name}{suffix}" for suffix in (".param", ".bin"))
    with TemporaryDirectory() as scratch:  # it leaves a dozen files beside its input
        link = Path(scratch) / "model.onnx"
        link.symlink_to(onnx.resolve())
        done = subprocess.run(
            [program, link, f"inputshape=[1,3,{size_px},{size_px}]", f"ncnnparam={param}", f"ncnnbin={weights}"],
            cwd=scratch,
            capture_output=True,
            text=True,
            check=False,
        )
    log = done.stdout + done.stderr
    if done.returncode != 0 or not weights.is_file():
        last = (log.strip().splitlines() or ["no word"])[-1]
        raise ExportError(f"pnnx could not translate {onnx}: {last}", hint="Check the onnx file with onnxruntime.")
    return Translation(param, weights, tuple(re.findall(r"^.*\bignore\b.*$", log, re.MULTILINE)))
