"""An engine that another package brings, by its entry point. docs/backends.md shows how one is written."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint
from typing import TypeVar

from edged.domain.engines import Absent, EngineOptions, ModelFiles, Presence
from edged.errors import BackendError, EdgedError
from edged.ports import Backend, Engine

Answer = TypeVar("Answer")


class PlugIn:
    """Stands for the engine, and imports its package when it is first asked something."""

    def __init__(self, entry: EntryPoint) -> None:
        self.name = entry.name
        self._entry = entry
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
        return self._ask(lambda engine: engine.load(files, options), f"failed to load {files.model}")

    def _ask(self, question: Callable[[Engine], Answer], failure: str) -> Answer:
        """Ask the engine; what it raises that is none of edged's errors becomes a BackendError that says `failure`."""
        engine = self._load()
        try:
            return question(engine)
        except EdgedError:
            raise
        except Exception as problem:
            raise BackendError(
                f"The plug-in {self.name} ({self._entry.value}) {failure}: {type(problem).__name__}: {problem}.",
                hint="Ask those who made the plug-in, or choose another model.backend.",
            ) from problem

    def _load(self) -> Engine:
        if self._engine is None:
            try:
                self._engine = self._entry.load()
            except Exception as problem:
                raise BackendError(
                    f"The plug-in {self.name} ({self._entry.value}) cannot be imported: "
                    f"{type(problem).__name__}: {problem}.",
                    hint="Install the package anew with all that it needs, or remove it.",
                ) from problem
        return self._engine
