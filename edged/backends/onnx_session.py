"""Opens a model in ONNX Runtime: on the best provider that takes it, from the optimised graph where one is kept."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edged.backends.graph_cache import GraphCache, graph_key
from edged.backends.onnx_providers import CPU, PassedOver, Provider, candidates
from edged.errors import BackendError, ModelError, ModelInvalid

log = logging.getLogger(__name__)

_NO_MEMORY = ("out of memory", "bad_alloc", "bad allocation", "failed to allocate")


_WEIGHTS_FOLDER = "session.model_external_initializers_file_folder_path"
"""Where weights lie that are not in the file itself (onnxruntime_session_options_config_keys.h)."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A session, and how it came about."""

    session: Any
    provider: str  # that took the model
    passed_over: tuple[PassedOver, ...]  # better ones that did not


def open_session(runtime: Any, model: Path, *, threads: int, cache_dir: Path | None) -> Opened:
    """Open `model` on the first provider that takes it; the processor is the last resort. Raises ModelError."""
    errors = errors_of(runtime)
    trying, passed = candidates(runtime.get_available_providers())
    for provider in trying:
        try:
            session = _session(runtime, model, threads, provider)
        except errors as problem:
            passed.append(PassedOver(provider.name, first_line(problem)))
            continue
        if session.get_providers()[0] == provider.name:
            return Opened(session, provider.name, tuple(passed))
        passed.append(PassedOver(provider.name, "its libraries do not load; ONNX Runtime's words are on stderr"))
    try:
        return Opened(_on_processor(runtime, model, threads, cache_dir), CPU, tuple(passed))
    except errors as problem:
        raise raised(f"ONNX Runtime refused {model}", problem) from problem


def errors_of(runtime: Any) -> tuple[type[Exception], ...]:
    """What ONNX Runtime raises: its own exceptions have no common root."""
    own = vars(runtime.capi.onnxruntime_pybind11_state).values()
    return (*(each for each in own if isinstance(each, type) and issubclass(each, Exception)), RuntimeError, ValueError)


def raised(what: str, problem: Exception) -> ModelError:
    """Say in edged's words what ONNX Runtime said."""
    text = str(problem).lower()
    message = f"{what}: {first_line(problem)}."
    if any(word in text for word in _NO_MEMORY):
        return BackendError(
            message, hint="The memory is exhausted: choose a smaller model or input size, or stop what else uses it."
        )
    # Of an empty file ONNX Runtime says only that there is no graph, before 1.31 in other words.
    is_empty = "no graph was found" in text or "does not have a graph" in text
    if is_empty or type(problem).__name__ in ("InvalidProtobuf", "InvalidGraph", "NoModel"):
        return ModelInvalid(message, hint="The file is damaged or no ONNX model: copy it again, or export it anew.")
    return BackendError(message, hint="Try another model.backend; `edged models verify` runs the model in all of them.")


def first_line(problem: Exception) -> str:
    """What an exception says, in a line."""
    lines = str(problem).strip().splitlines()
    return lines[0].strip().removesuffix(".") if lines else type(problem).__name__


def _on_processor(runtime: Any, model: Path, threads: int, cache_dir: Path | None) -> Any:
    if cache_dir is None:
        return _session(runtime, model, threads)
    # A full or read-only disk must not keep the model from running; ONNX Runtime says anything of one, SystemError too.
    failures: tuple[type[Exception], ...] = (OSError, *errors_of(runtime))
    try:
        cache = GraphCache(cache_dir, model, graph_key(model, version=runtime.__version__, provider=CPU))
        kept = cache.find()
        if kept is not None:
            try:
                return _session(runtime, kept, threads, optimised_from=model)
            except errors_of(runtime) as problem:
                log.warning("%s does not load and is made anew: %s", kept, first_line(problem))
        with cache.being_written() as draft:
            return _session(runtime, model, threads, write_to=draft)
    except failures as problem:
        session = _session(runtime, model, threads)  # which says what is wrong with the model, if anything is
        log.warning("the optimised graph cannot be kept in %s: %s", cache_dir, first_line(problem))
        return session


def _session(
    runtime: Any,
    path: Path,
    threads: int,
    provider: Provider | None = None,
    *,
    optimised_from: Path | None = None,
    write_to: Path | None = None,
) -> Any:
    content: str | bytes = str(path)
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what matters comes as an exception
    for pool in ("intra_op", "inter_op"):  # a daemon must not burn idle cores: its threads sleep while they wait
        options.add_session_config_entry(f"session.{pool}.allow_spinning", "0")
    if optimised_from is not None:
        options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_DISABLE_ALL
        # An optimised graph points to weights beside the model as the model does, and is not beside them itself. ONNX
        # Runtime 1.21 to 1.23, the last for Python 3.10, look elsewhere only for a graph that has no path.
        content = path.read_bytes()
        options.add_session_config_entry(_WEIGHTS_FOLDER, str(optimised_from.parent))
    if write_to is not None:
        options.optimized_model_filepath = str(write_to)
    providers: list[Any] = [CPU]
    if provider is not None:
        own = {provider.threads_option: str(threads)} if provider.threads_option else {}
        providers.insert(0, (provider.name, {**provider.options, **own}))
    session = runtime.InferenceSession(content, options, providers=providers)
    session.disable_fallback()  # or a run that fails would go on elsewhere without a word
    return session
