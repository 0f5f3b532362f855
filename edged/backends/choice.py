"""Decides which engine runs a model: pure, and explained in full by `edged models explain`."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from edged.domain.engines import Absent, Present, Verdict
from edged.errors import BackendError, ModelInvalid
from edged.ports import Engine

AUTO = "auto"

_ALSO_CALLED = {
    "onnx": "onnxruntime",
    "ort": "onnxruntime",
    "trt": "tensorrt",
    "tflite": "litert",
    "coral": "edgetpu",
}
"""What people write who mean an engine: formats, short names and an engine's former name."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Every engine that was looked at, and those that can run the model, the best first."""

    wanted: str  # what the configuration said: auto, or an engine's name
    verdicts: tuple[Verdict, ...]
    candidates: tuple[tuple[Engine, str], ...]  # engine, and the format that it takes


def choose(wanted: str, engines: Sequence[Engine], formats: Collection[str]) -> Choice:
    """Look at the engines for a model that has files in `formats`.

    With "auto", those that compute on more than the processor come first, then the order of `engines` counts. An engine
    that is named is the only one. No candidate is no error yet: see demand_engine(). Raises BackendError for an unknown
    name.
    """
    considered = [engine for engine in engines if wanted in (AUTO, engine.name)]
    if not considered:
        raise _unknown(wanted, [engine.name for engine in engines])
    verdicts = tuple(Verdict(engine.name, engine.presence(), _taken(engine, formats)) for engine in considered)
    usable = [(engine, verdict) for engine, verdict in zip(considered, verdicts, strict=True) if verdict.usable]
    usable.sort(key=lambda pair: not _accelerated(pair[1]))  # stable: within a kind the order stays
    return Choice(wanted, verdicts, tuple((engine, verdict.format or "") for engine, verdict in usable))


def demand_engine(choice: Choice, *, model: str, formats: Collection[str]) -> None:
    """Raise the error that says why no engine can run the model; do nothing when one can."""
    if choice.candidates:
        return
    have = ", ".join(sorted(formats))
    if choice.wanted != AUTO:
        (verdict,) = choice.verdicts
        if isinstance(verdict.presence, Absent):
            raise BackendError(
                f"{verdict.engine} cannot run here: {verdict.presence.reason}.", hint=verdict.presence.hint
            )
        raise ModelInvalid(
            f"Model {model} has no files for the engine {verdict.engine}.",
            hint=f"It has files for: {have}. Choose that backend, or export the model.",
        )
    fitting = [verdict for verdict in choice.verdicts if verdict.format is not None]
    reasons = "; ".join(
        f"{verdict.engine}: {verdict.presence.reason} ({verdict.presence.hint})"
        for verdict in fitting
        if isinstance(verdict.presence, Absent)
    )
    raise BackendError(
        f"No engine here can run model {model}, which has files for: {have}.",
        hint=reasons or "`edged models explain` lists the engines.",
    )


def _taken(engine: Engine, formats: Collection[str]) -> str | None:
    return next((name for name in engine.formats if name in formats), None)


def _accelerated(verdict: Verdict) -> bool:
    return isinstance(verdict.presence, Present) and verdict.presence.accelerated


def _unknown(wanted: str, names: Sequence[str]) -> BackendError:
    meant = _ALSO_CALLED.get(wanted)
    close = [meant] if meant in names else difflib.get_close_matches(wanted, names, n=1)
    advice = f"Did you mean {close[0]}? " if close else ""
    return BackendError(
        f"There is no engine {wanted!r} (model.backend).", hint=f"{advice}Known here: {AUTO}, {', '.join(names)}."
    )
