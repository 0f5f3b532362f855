"""An engine that is here or not as it was told, and loads what it was told."""

from __future__ import annotations

from collections.abc import Callable

from edged.domain.engines import EngineOptions, ModelFiles, Presence, Present
from edged.errors import BackendError
from edged.ports import Backend

Load = Callable[[ModelFiles, EngineOptions], Backend]


class ScriptedEngine:
    """Implements ports.Engine without an engine.

    Levers: `presence` is what it says of itself, `load` makes its backends; without it, loading fails with
    BackendError. `loaded` lists what it was asked to load.
    """

    def __init__(
        self,
        name: str,
        *,
        formats: tuple[str, ...] = ("ncnn",),
        presence: Presence | None = None,
        load: Load | None = None,
    ) -> None:
        self.name = name
        self.formats = formats
        self.loaded: list[ModelFiles] = []
        self._presence = presence or Present(f"{name} 1.0")
        self._load = load

    def presence(self) -> Presence:
        """See ports.Engine."""
        return self._presence

    def load(self, files: ModelFiles, options: EngineOptions) -> Backend:
        """See ports.Engine."""
        self.loaded.append(files)
        if self._load is None:
            raise BackendError(f"{self.name} was told to fail.", hint="Give it a load function.")
        return self._load(files, options)
