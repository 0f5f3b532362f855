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
from edged.backends.tensorrt.onnx_file import OnnxFacts, check_names, read_onnx
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
class _Contents:
    """The files, read."""

    onnx: bytes | None
    facts: OnnxFacts | None
    engine: bytes | None
    calibration: bytes | None


class Loader:
    """Loads one model."""

    def __init__(
        self, files: Files, interface: Interface, *, cache: EngineCache, wishes: Wishes, teller: ProgressTeller
    ) -> None:
        """Read the files and hold them to each other, with no library yet. Raises ModelNotFound or ModelInvalid."""
        self._files = files
        self._interface = interface
        self._cache = cache
        self._wishes = wishes
        self._teller = teller
        self._contents = self._read()

    def load(self, trt: Any, device: Device, gpu: Gpu) -> Session:
        """Get the model onto the GPU. Call it inside device.active(). Raises BackendError."""
        features = features_of(trt.__version__)
        if self._contents.engine is not None:
            try:
                return self._session(trt, device, self._contents.engine)
            except EngineRefused as problem:
                self._settle_refusal(features, problem)
        facts, onnx = self._contents.facts, self._contents.onnx
        assert facts is not None
        assert onnx is not None
        plan = plan_build(features, facts, self._wishes, input_shape=self._interface.input_shape)
        key = _key(onnx, self._contents.calibration, features, gpu, plan, self._interface.input_shape)
        return self._kept(trt, device, key) or self._build(trt, device, features, plan, key)

    def _read(self) -> _Contents:
        if self._files.onnx is None and self._files.engine is None:
            raise ModelInvalid(
                "There is neither an ONNX file nor an engine for TensorRT.",
                hint="Name one in model.toml; docs/backends.md shows how.",
            )
        onnx, facts = None, None
        if self._files.onnx is not None:
            facts, onnx = read_onnx(self._files.onnx)
            check_names(
                facts,
                self._files.onnx,
                input_name=self._interface.input_name,
                output_names=self._interface.output_names,
                input_shape=self._interface.input_shape,
            )
        return _Contents(onnx, facts, self._read_engine(), _read_calibration(self._files.calibration))

    def _read_engine(self) -> bytes | None:
        if self._files.engine is None:
            return None
        try:
            return read_engine(self._files.engine)
        except ModelError as problem:
            if self._files.onnx is None:
                raise
            log.warning("%s The engine is built from %s.", problem.message, self._files.onnx)
            return None

    def _settle_refusal(self, features: Features, problem: EngineRefused) -> None:
        """Go on with the ONNX file where there is one."""
        path = self._files.engine
        words = (
            f"TensorRT {features.version} does not take the engine {path}: {problem}. It was built by another version "
            "of TensorRT, for another GPU, or is damaged."
        )
        if self._files.onnx is None:
            raise BackendError(
                words,
                hint="Put the ONNX file beside it, from which edged builds an engine; or build one on this machine.",
            ) from problem
        log.warning("%s One is built from %s.", words, self._files.onnx)

    def _kept(self, trt: Any, device: Device, key: EngineKey) -> Session | None:
        model = self._model_name()
        engine = self._cache.find(key, model)
        if engine is None:
            return None
        try:
            return self._session(trt, device, engine)
        except EngineRefused as problem:  # a driver update can do that
            log.warning("TensorRT refuses the kept engine of %s: %s. It is built again.", model, problem)
            self._cache.forget(key, model)
            return None

    def _build(self, trt: Any, device: Device, features: Features, plan: BuildPlan, key: EngineKey) -> Session:
        assert self._contents.onnx is not None
        assert self._files.onnx is not None
        log.warning(
            "No engine of %s for TensorRT %s on %s is there yet: it is built now, which takes minutes, once.",
            self._files.onnx,
            key.tensorrt,
            key.gpu,
        )
        source = Source(self._files.onnx, self._contents.onnx, self._cache.timings(key), self._contents.calibration)
        built = build_engine(trt, features, plan, source, self._teller)
        self._cache.keep(key, self._model_name(), built.engine)
        if built.timings:
            self._cache.keep_timings(key, built.timings)
        try:
            return self._session(trt, device, built.engine)
        except EngineRefused as problem:
            raise BackendError(
                f"TensorRT {features.version} refuses the engine that it just built of {self._files.onnx}: {problem}.",
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

    def _model_name(self) -> str:
        return self._files.onnx.stem if self._files.onnx is not None else "model"


def _read_calibration(path: Path | None) -> bytes | None:
    if path is None:
        return None
    try:
        return path.read_bytes()
    except OSError as problem:
        raise ModelNotFound(f"{path} cannot be read: {problem.strerror}.", hint="Copy the file there.") from problem


def _key(
    onnx: bytes,
    calibration: bytes | None,
    features: Features,
    gpu: Gpu,
    plan: BuildPlan,
    input_shape: tuple[int, int, int],
) -> EngineKey:
    digest = hashlib.sha256(onnx)
    if plan.calibrate and calibration is not None:
        digest.update(calibration)
    return EngineKey(
        model_sha256=digest.hexdigest(),
        tensorrt=features.version,
        gpu=gpu.name,
        compute_capability=gpu.compute_capability,
        precision=plan.precision,
        input_shape=input_shape,
        dla_core=plan.dla_core,
    )
