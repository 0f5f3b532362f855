"""An engine that another package brings, by its entry point. docs/backends.md shows how one is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import EntryPoint
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from edged.domain.engines import Absent, EngineOptions, ModelFiles, Presence
from edged.errors import BackendError, EdgedError
from edged.ports import Backend, Engine

Answer = TypeVar("Answer")


class PlugIn:
    """Stands for the engine, and imports its package when it is first asked something."""

    def __init__(self, entry: EntryPoint) -> None:
        self.name = entry.name
        self._entry = entry
        self._title = f"The plug-in {entry.name} ({entry.value})"
        self._engine: Engine | None = None

    @property
    def formats(self) -> tuple[str, ...]:
        """See ports.Engine. Of a plug-in that cannot be asked: its own name."""
        try:
            return self._ask(lambda engine: engine.formats, "failed to say what it takes")
        except EdgedError:
            return (self.name,)

    def presence(self) -> Presence:
        """See ports.Engine. A plug-in that cannot be asked is absent: it must not keep others from running."""
        try:
            return self._ask(lambda engine: engine.presence(), "failed to say whether it can run here")
        except EdgedError as error:
            return Absent(error.message.removesuffix("."), error.hint)

    def load(self, files: ModelFiles, options: EngineOptions) -> Backend:
        """See ports.Engine. Raises ModelError."""
        backend = self._ask(lambda engine: engine.load(files, options), f"failed to load {files.model}")
        return _PlugInBackend(self._title, backend)

    def _ask(self, question: Callable[[Engine], Answer], failure: str) -> Answer:
        """Ask the engine; what it raises that is none of edged's errors becomes a BackendError that says `failure`."""
        engine = self._load()
        with _in_edgeds_words(f"{self._title} {failure}"):
            return question(engine)

    def _load(self) -> Engine:
        if self._engine is None:
            try:
                self._engine = self._entry.load()
            except Exception as problem:
                raise BackendError(
                    f"{self._title} cannot be imported: {type(problem).__name__}: {problem}.",
                    hint="Install the package anew with all that it needs, or remove it.",
                ) from problem
        return self._engine


class _PlugInBackend:
    """A model in the engine: its exceptions stop here, and its answers are what ports.Backend promises or an error."""

    def __init__(self, title: str, backend: Backend) -> None:
        self._title = title
        self._backend = backend

    def infer(self, blob: npt.NDArray[np.float32]) -> list[npt.NDArray[np.float32]]:
        """See ports.Backend. Raises BackendError."""
        with _in_edgeds_words(f"{self._title} failed on a picture"):
            return [np.asarray(output, np.float32) for output in self._backend.infer(blob)]

    def close(self) -> None:
        """See ports.Backend. Raises BackendError."""
        with _in_edgeds_words(f"{self._title} failed to close"):
            self._backend.close()


@contextmanager
def _in_edgeds_words(what: str) -> Iterator[None]:
    """What is raised inside and is none of edged's errors becomes a BackendError that says `what`."""
    try:
        yield
    except EdgedError:
        raise
    except Exception as problem:
        raise BackendError(
            f"{what}: {type(problem).__name__}: {problem}.",
            hint="Ask those who made the plug-in, or choose another model.backend.",
        ) from problem
