"""Keeps graphs that ONNX Runtime has optimised for this very machine, so that the next start need not do it again.

An optimised graph belongs to the model, the version of ONNX Runtime, its provider and the processor's instructions (the
layout of weights follows the width of its vectors), and all of them are in its name. So is its own checksum: a graph
whose weights a dying disk changed loads like any other, and sees what is not there.
"""

from __future__ import annotations

import hashlib
import logging
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from edged.backends.ownership import give_to_owner_of_folder, make_folder

log = logging.getLogger(__name__)


class GraphCache:
    """The optimised graph of one model in a folder."""

    def __init__(self, folder: Path, model: Path, key: str) -> None:
        """`key` is graph_key()'s; graphs of the same model by another key are stale."""
        self._folder = folder
        self._stem = f"onnxruntime-{hashlib.sha256(str(model).encode()).hexdigest()[:8]}"
        self._name = f"{self._stem}-{key}"

    def find(self) -> Path | None:
        """Return the graph; None when there is none that is as it was written. Raises OSError."""
        for path in self._folder.glob(f"{self._name}-*.onnx"):
            if path.stem == f"{self._name}-{_digest(path.read_bytes())}":
                return path
            log.warning("%s is damaged: its checksum differs. It is made anew.", path)
        return None

    @contextmanager
    def being_written(self) -> Iterator[Path]:
        """Name a file to write the graph to; it becomes the cached one when the block ends well. Raises OSError."""
        make_folder(self._folder)
        draft = self._folder / f"{self._stem}-{os.getpid()}.part"
        try:
            draft.touch()  # where nothing can be written, this says so in clearer words than ONNX Runtime
            yield draft
            with draft.open("rb") as written:
                os.fsync(written.fileno())
                digest = _digest(written.read())
            for stale in self._folder.glob(f"{self._stem}-*"):  # older graphs, and a draft that lost its power
                if stale != draft:
                    stale.unlink(missing_ok=True)
            give_to_owner_of_folder(draft)
            draft.replace(self._folder / f"{self._name}-{digest}.onnx")
        finally:
            with suppress(OSError):
                draft.unlink()


def graph_key(model: Path, *, version: str, provider: str) -> str:
    """Hash all that an optimised graph depends on. Raises OSError when a file cannot be read.

    Of the files beside the model, which may hold its weights, name, size and time of the last change count.
    """
    digest = hashlib.sha256(model.read_bytes())
    for path in sorted(model.parent.iterdir()):
        if path.is_file():
            facts = path.stat()
            digest.update(f"{path.name} {facts.st_size} {facts.st_mtime_ns}\n".encode())
    for fact in (version, provider, platform.machine(), _instructions()):
        digest.update(fact.encode() + b"\0")
    return digest.hexdigest()[:16]


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _instructions() -> str:
    """The instruction sets of the first processor, as the kernel lists them."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(errors="replace").splitlines():
            if line.startswith(("flags", "Features")):
                return line
    return ""
