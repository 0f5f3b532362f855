"""Which engine is taken and why, and whether each is right: `edged models explain`, `edged models verify`."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from edged.app.engines import choose_engine
from edged.app.models import model_spec
from edged.app.sources import read_picture
from edged.backends.catalogue import all_engines
from edged.backends.choice import AUTO, Choice, choose
from edged.clock import Clock, SystemClock
from edged.detect.catalogue import shipped_models
from edged.detect.golden import record_golden
from edged.detect.selfcheck import ModelReport, time_frame, verify_model
from edged.detect.spec import ModelSpec
from edged.domain.detections import Detections
from edged.domain.engines import EngineOptions, Verdict
from edged.domain.frame import BgrImage
from edged.errors import ConfigError, ModelError
from edged.ports import Engine

ROUNDS = 10


@dataclass(frozen=True, slots=True)
class EngineReport:
    """How one engine did; the times are None where it did not come so far."""

    verdict: Verdict
    report: ModelReport | None = None
    load_ms: float | None = None
    infer_ms: float | None = None  # median of ROUNDS whole detections
    error: ModelError | None = None


def explain_model(model: str, wanted: str = AUTO) -> tuple[ModelSpec, Choice]:
    """Say which engine would run a model here, and what was found out about each. Raises ModelError."""
    spec = model_spec(model)
    return spec, choose(wanted, all_engines(), spec.formats)


def verify_engines(
    model: str,
    image_path: Path | None = None,
    *,
    wanted: str = AUTO,
    cache_dir: Path | None = None,
    clock: Clock | None = None,
    progress: Callable[[str], None] = lambda text: None,
) -> tuple[ModelSpec, list[EngineReport]]:
    """Load a model into every engine that can run it here, or one that is named, and try it there.

    An engine's failure stands in its report; `progress` is told what goes on while a model is built, and in `cache_dir`
    engines keep what they built.
    Raises ModelError when the model cannot be read or no engine can run it, SourceError for the picture.
    """
    spec = model_spec(model)
    image = None if image_path is None else read_picture(image_path)
    choice = choose_engine(spec, wanted)
    engines = {engine.name: engine for engine, _ in choice.candidates}
    options = EngineOptions(cache_dir=cache_dir, progress=progress)
    reports = [
        _try(engines[verdict.engine], verdict, spec, image, options, clock or SystemClock())
        if verdict.engine in engines
        else EngineReport(verdict)
        for verdict in choice.verdicts
    ]
    return spec, reports


def record_answer(
    model: str,
    image_path: Path,
    *,
    wanted: str = AUTO,
    cache_dir: Path | None = None,
    progress: Callable[[str], None] = lambda text: None,
) -> Detections:
    """Record what a model finds in a picture as its golden answer; return it. Raises EdgedError."""
    if model in shipped_models():
        raise ConfigError(
            f"The model {model} came with edged, and its golden answer with it.",
            hint="Record the answer of a model of your own: name its folder.",
        )
    spec = model_spec(model)
    engine, format_ = choose_engine(spec, wanted).candidates[0]
    image = read_picture(image_path)
    options = EngineOptions(cache_dir=cache_dir, progress=progress)
    with closing(engine.load(spec.files(format_), options)) as backend:
        return record_golden(spec.in_format(format_), backend, image_path, image)


def _try(
    engine: Engine, verdict: Verdict, spec: ModelSpec, image: BgrImage | None, options: EngineOptions, clock: Clock
) -> EngineReport:
    format_ = verdict.format or ""
    began = clock.monotonic()
    try:
        with closing(engine.load(spec.files(format_), options)) as backend:
            load_ms = (clock.monotonic() - began) * 1000
            report = verify_model(spec.in_format(format_), backend, image)
            times = [time_frame(report.spec, backend, clock) for _ in range(ROUNDS)]
    except ModelError as error:
        return EngineReport(verdict, error=error)
    return EngineReport(verdict, report, load_ms, statistics.median(times) * 1000)
