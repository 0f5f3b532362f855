"""An engine that another package brings, by its entry point. docs/backends.md shows how one is written."""

from __future__ import annotations

from importlib.metadata import EntryPoint

from edged.domain.engines import Absent, EngineOptions, ModelFiles, Presence
from edged.errors import BackendError, EdgedError
from edged.ports import Backend, Engine


class PlugIn:
    """Stands for the engine, and imports its package when it is first asked something."""

    def __init__(self, entry: EntryPoint) -> None:
        self.name = entry.name
        self._entry = entry
        self._engine: Engine | None = None

    @property
    def formats(self) -> tuple[str, ...]:
        """See ports.Engine. Of a package that cannot be imported: the plug-in's own name."""
        try:
            return self._load().formats
        except BackendError:
            return (self.name,)

    def presence(self) -> Presence:
        """See ports.Engine. A package that cannot be imported is an engine that is absent."""
        try:
            return self._load().presence()
        except BackendError as error:
            return Absent(error.message.removesuffix("."), error.hint)

    def load(self, files: ModelFiles, options: EngineOptions) -> Backend:
        """See ports.Engine. What a plug-in raises that is none of edged's errors becomes a BackendError."""
        engine = self._load()
        try:
            return engine.load(files, options)
        except EdgedError:
            raise
        except Exception as problem:
            raise BackendError(
                f"The plug-in {self.name} ({self._entry.value}) failed to load {files.model}: "
                f"{type(problem).__name__}: {problem}.",
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
