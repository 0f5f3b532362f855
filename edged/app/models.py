"""Models and engines: found, loaded and tried."""

from __future__ import annotations

from collections.abc import Sequence

from edged.app.engines import choose_engine, load_first
from edged.app.loading import LoadingNews
from edged.config.schema import Config
from edged.detect.catalogue import find_model, shipped_models
from edged.detect.detector import ModelDetector
from edged.detect.load import load_spec
from edged.detect.selfcheck import MakeBackend, try_model
from edged.detect.spec import ModelSpec
from edged.domain.engines import EngineOptions
from edged.errors import ConfigError
from edged.health.notify import find_notifier


def load_detector(config: Config, make_backend: MakeBackend | None = None, *, keep: bool = True) -> ModelDetector:
    """Load the configured model into the engine that is named, or the best one here, and try it. Raises ModelError.

    `keep` lets the engine keep what it makes of the model, in data_dir. `make_backend` stands in for the real engine
    where a test or a benchmark wants to see through it.
    """
    model = config.model
    spec = model_spec(model.path)
    if make_backend is not None:
        return try_model(spec, make_backend, confidence=model.confidence, nms_iou=model.nms_iou)
    options = EngineOptions(
        threads=model.threads,
        precision=model.precision,
        dla_core=model.dla_core,
        cache_dir=config.data_dir / "cache" if keep else None,
        progress=LoadingNews(find_notifier()),
    )
    return load_first(
        spec, choose_engine(spec, model.backend), options, confidence=model.confidence, nms_iou=model.nms_iou
    )


def check_labels(config: Config, labels: Sequence[str]) -> None:
    """Refuse a label of interest that the model does not know: it would wait for ever. Raises ConfigError."""
    wanted = [("presence.labels", config.presence.labels)]
    wanted += [(f"camera[{index}].labels", camera.labels or ()) for index, camera in enumerate(config.camera)]
    unknown = [f"{place}: {label!r}" for place, named in wanted for label in named if label not in labels]
    if unknown:
        raise ConfigError(
            f"The model does not know these labels: {'; '.join(unknown)}.",
            hint=f"It knows: {', '.join(labels)}.",
        )


def model_spec(model: str) -> ModelSpec:
    """What edged knows of a model, by folder or name, without loading it. Raises ModelError."""
    return load_spec(find_model(model))


def list_models() -> dict[str, ModelSpec]:
    """The models that came with edged, by the names that a configuration can use. Raises ModelError."""
    return {name: load_spec(folder) for name, folder in shipped_models().items()}
