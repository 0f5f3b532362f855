"""From a model and a wish to a loaded engine."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from edged.backends.catalogue import all_engines
from edged.backends.choice import Choice, choose, demand_engine
from edged.detect.detector import ModelDetector
from edged.detect.selfcheck import try_model
from edged.detect.spec import ModelSpec
from edged.domain.engines import EngineOptions
from edged.errors import BackendError
from edged.ports import Backend, Engine

log = logging.getLogger(__name__)


def choose_engine(spec: ModelSpec, wanted: str) -> Choice:
    """Find the engines that can run a model here, the best first. Raises ModelError when there is none."""
    choice = choose(wanted, all_engines(), spec.formats)
    demand_engine(choice, model=spec.name, formats=spec.formats)
    return choice


def make_backend(spec: ModelSpec, wanted: str, options: EngineOptions) -> Backend:
    """Load a model into the engine that is named, or the best one here. Raises ModelError."""
    engine, format_ = choose_engine(spec, wanted).candidates[0]
    return engine.load(spec.files(format_), options)


def load_first(spec: ModelSpec, choice: Choice, options: EngineOptions, **thresholds: float | None) -> ModelDetector:
    """Load and try the model in the first of the chosen engines that does not fail.

    An engine that fails is passed over, loudly; a model that gives wrong answers is not. `thresholds` are
    ModelDetector's confidence and nms_iou. Raises ModelError.
    """
    *others, (last, format_) = choice.candidates
    for engine, format_of_it in others:
        try:
            return _load(spec, engine, format_of_it, options, thresholds)
        except BackendError as error:
            log.warning("%s cannot run %s, the next engine is tried: %s", engine.name, spec.name, error)
    return _load(spec, last, format_, options, thresholds)


def _load(
    spec: ModelSpec, engine: Engine, format_: str, options: EngineOptions, thresholds: Mapping[str, float | None]
) -> ModelDetector:
    files = spec.files(format_)
    return try_model(
        spec.in_format(format_),
        lambda _: engine.load(files, options),
        engine=engine.name,
        **thresholds,
    )
