"""Keeps built engines: an engine fits one model, one version of TensorRT and one kind of GPU, and takes minutes."""

from __future__ import annotations

import contextlib
import glob
import hashlib
import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path

from edged.backends.tensorrt.sealed import NotSealed, read_sealed, write_sealed

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EngineKey:
    """Everything that an engine depends on. Engines whose keys differ in anything are not exchanged."""

    model_sha256: str
    tensorrt: str  # its version
    gpu: str  # its name
    compute_capability: str  # 8.7
    precision: str
    input_shape: tuple[int, int, int]
    dla_core: int | None

    def file_name(self, model: str) -> str:
        """Name the file: the model for people, a digest of the key for edged."""
        digest = hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()
        return f"{model}-{digest[:16]}.engine"

    def labels(self) -> dict[str, object]:
        """Return it as it stands in a file's header."""
        return {**asdict(self), "input_shape": list(self.input_shape)}


class EngineCache:
    """A folder of engines and timing caches. What cannot be read there is built again; it never stops a start."""

    def __init__(self, folder: Path | None) -> None:
        """Use `folder`, which is made when something is first kept; with None, keep nothing."""
        self.folder = folder

    def find(self, key: EngineKey, model: str) -> bytes | None:
        """Return the engine; None when there is none, or when it is damaged or another's (which is logged)."""
        if self.folder is None:
            return None
        path = self.folder / key.file_name(model)
        try:
            labels, engine = read_sealed(path)
        except FileNotFoundError:
            return None
        except (OSError, NotSealed) as problem:
            log.warning("The kept engine %s is not used: %s. It is built again.", path, problem)
            return None
        if labels != key.labels():
            log.warning("The kept engine %s was built for something else. It is built again.", path)
            return None
        return engine

    def keep(self, key: EngineKey, model: str, engine: bytes) -> None:
        """Store an engine, and remove those of the same model that an update of TensorRT or another GPU left behind."""
        if self.folder is None:
            return
        path = self.folder / key.file_name(model)
        try:
            write_sealed(path, engine, key.labels())
        except OSError as problem:
            log.warning("The engine cannot be kept in %s: %s. The next start builds it again.", self.folder, problem)
            return
        log.info("The engine is kept in %s (%.1f MB).", path, len(engine) / 1e6)
        _remove_outdated(self.folder, key, model)

    def forget(self, key: EngineKey, model: str) -> None:
        """Remove an engine that TensorRT refused."""
        if self.folder is not None:
            with contextlib.suppress(OSError):
                (self.folder / key.file_name(model)).unlink()

    def timings(self, key: EngineKey) -> bytes:
        """Return what earlier builds measured of kernels, for the builder; nothing when there is nothing."""
        if self.folder is None:
            return b""
        try:
            return read_sealed(_timing_path(self.folder, key))[1]
        except (OSError, NotSealed):
            return b""

    def keep_timings(self, key: EngineKey, timings: bytes) -> None:
        """Store them."""
        if self.folder is None:
            return
        try:
            write_sealed(_timing_path(self.folder, key), timings, {"tensorrt": key.tensorrt, "gpu": key.gpu})
        except OSError as problem:
            log.warning("What the build measured cannot be kept in %s: %s.", self.folder, problem)


def _timing_path(folder: Path, key: EngineKey) -> Path:
    where = f"{key.tensorrt} {key.gpu} {key.compute_capability}"
    return folder / f"timing-{hashlib.sha256(where.encode()).hexdigest()[:16]}.cache"


def _remove_outdated(folder: Path, key: EngineKey, model: str) -> None:
    outdated = {"tensorrt", "gpu", "compute_capability"}
    wanted = {name: value for name, value in key.labels().items() if name not in outdated}
    for draft in folder.glob(f".{glob.escape(model)}-*.engine.*"):  # whose writing a cut of power ended
        with contextlib.suppress(OSError):
            draft.unlink()
    for path in folder.glob(f"{glob.escape(model)}-*.engine"):
        if path.name == key.file_name(model):
            continue
        with contextlib.suppress(OSError, NotSealed):
            labels, _ = read_sealed(path)
            if {name: value for name, value in labels.items() if name not in outdated} == wanted:
                path.unlink()
