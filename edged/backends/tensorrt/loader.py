"""From a model's files to a running session: an engine that is there, one that was kept, or one that is built now."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edged.backends.tensorrt.builder import Source, build_engine
from edged.backends.tensorrt.cache import EngineCache, EngineKey
from edged.backends.tensorrt.device import Device
from edged.backends.tensorrt.driver import Gpu
from edged.backends.tensorrt.engine_file import read_engine
from edged.backends.tensorrt.onnx_file import OnnxFacts, check_description, read_onnx
from edged.backends.tensorrt.plan import BuildPlan, Wishes, plan_build
from edged.backends.tensorrt.progress import ProgressTeller
from edged.backends.tensorrt.session import EngineRefused, Session
from edged.backends.tensorrt.versions import Features, features_of
from edged.errors import BackendError, ModelError, ModelInvalid, ModelNotFound

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Files:
    """What a model folder holds for TensorRT: an ONNX file, an engine, or both."""

    onnx: Path | None = None  # what engines are built from
    engine: Path | None = None  # one that somebody built for this very machine; tried first
    calibration: Path | None = None  # INT8 ranges for a float32 ONNX file, before TensorRT 11


@dataclass(frozen=True, slots=True)
class Interface:
    """How the model is spoken to."""

    input_name: str
    output_names: tuple[str, ...]
    input_shape: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class _Onnx:
    """An ONNX file, read."""

    path: Path
    content: bytes
    facts: OnnxFacts
    calibration: bytes | None
    sha256: str  # of the file, and of those beside it that hold its weights


class Loader:
    """Loads one model."""

    def __init__(
        self, files: Files, interface: Interface, *, cache: EngineCache, wishes: Wishes, teller: ProgressTeller
    ) -> None:
        """Read the files and hold them to each other, with no library yet. Raises ModelNotFound or ModelInvalid."""
        if files.onnx is None and files.engine is None:
            raise ModelInvalid(
                "There is neither an ONNX file nor an engine for TensorRT.",
                hint="Name one in model.toml; docs/tensorrt.md shows how.",
            )
        self._interface = interface
        self._cache = cache
        self._wishes = wishes
        self._teller = teller
        self._onnx = None if files.onnx is None else _read_onnx(files.onnx, files.calibration, interface)
        self._engine_path = files.engine
        self._engine = None if files.engine is None else self._read_engine(files.engine)

    def load(self, trt: Any, device: Device, gpu: Gpu) -> Session:
        """Get the model onto the GPU. Call it inside device.active(). Raises BackendError."""
        features = features_of(trt.__version__)
        refusal = None
        if self._engine is not None:
            try:
                return self._session(trt, device, self._engine)
            except EngineRefused as problem:
                refusal = problem
        if self._onnx is None:
            raise BackendError(
                self._refused(features, refusal),
                hint="Put the ONNX file beside it, from which edged builds an engine; or build one on this machine.",
            ) from refusal
        if refusal is not None:
            log.warning("%s One is built from %s.", self._refused(features, refusal), self._onnx.path)
        plan = plan_build(features, self._onnx.facts, self._wishes, input_shape=self._interface.input_shape)
        key = _key(self._onnx, features, gpu, plan, self._interface.input_shape)
        kept = self._kept(trt, device, key, self._onnx)
        return kept or self._build(trt, device, features, plan, key, self._onnx)

    def _read_engine(self, path: Path) -> bytes | None:
        try:
            return read_engine(path)
        except ModelError as problem:
            if self._onnx is None:
                raise
            log.warning("%s The engine is built from %s.", problem.message, self._onnx.path)
            return None

    def _refused(self, features: Features, refusal: EngineRefused | None) -> str:
        return (
            f"TensorRT {features.version} does not take the engine {self._engine_path}: {refusal}. It was built by "
            "another version of TensorRT, for another GPU, or is damaged."
        )

    def _kept(self, trt: Any, device: Device, key: EngineKey, onnx: _Onnx) -> Session | None:
        engine = self._cache.find(key, onnx.path.stem)
        if engine is None:
            return None
        try:
            return self._session(trt, device, engine)
        except EngineRefused as problem:  # a driver update can do that
            log.warning("TensorRT refuses the kept engine of %s: %s. It is built again.", onnx.path, problem)
            self._cache.forget(key, onnx.path.stem)
            return None

    def _build(
        self, trt: Any, device: Device, features: Features, plan: BuildPlan, key: EngineKey, onnx: _Onnx
    ) -> Session:
        log.warning(
            "There is no engine of %s for TensorRT %s on %s yet: it is built now, which takes minutes, once.",
            onnx.path,
            key.tensorrt,
            key.gpu,
        )
        source = Source(onnx.path, onnx.content, self._cache.timings(key), onnx.calibration)
        built = build_engine(trt, features, plan, source, self._teller)
        self._cache.keep(key, onnx.path.stem, built.engine)
        if built.timings:
            self._cache.keep_timings(key, built.timings)
        try:
            return self._session(trt, device, built.engine)
        except EngineRefused as problem:
            raise BackendError(
                f"TensorRT {features.version} refuses the engine that it just built of {onnx.path}: {problem}.",
                hint="Two versions of TensorRT may be installed side by side: remove one.",
            ) from problem

    def _session(self, trt: Any, device: Device, engine: bytes) -> Session:
        return Session(
            trt,
            device,
            engine,
            input_name=self._interface.input_name,
            output_names=self._interface.output_names,
            input_shape=self._interface.input_shape,
            dla_core=self._wishes.dla_core,
        )


def _read_onnx(path: Path, calibration: Path | None, interface: Interface) -> _Onnx:
    facts, content = read_onnx(path)
    check_description(
        facts,
        path,
        input_name=interface.input_name,
        output_names=interface.output_names,
        input_shape=interface.input_shape,
    )
    digest = hashlib.sha256(content)
    for name in sorted(facts.weight_files):
        digest.update(_read_beside(path.parent / name))
    return _Onnx(path, content, facts, None if calibration is None else _read_beside(calibration), digest.hexdigest())


def _read_beside(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as problem:
        raise ModelNotFound(f"{path} cannot be read: {problem.strerror}.", hint="Copy the file there.") from problem


def _key(onnx: _Onnx, features: Features, gpu: Gpu, plan: BuildPlan, input_shape: tuple[int, int, int]) -> EngineKey:
    ranges = b"" if onnx.calibration is None or not plan.calibrate else onnx.calibration
    return EngineKey(
        model_sha256=onnx.sha256 if not ranges else hashlib.sha256(onnx.sha256.encode() + ranges).hexdigest(),
        tensorrt=features.version,
        gpu=gpu.name,
        compute_capability=gpu.compute_capability,
        precision=plan.precision,
        input_shape=input_shape,
        dla_core=plan.dla_core,
    )
