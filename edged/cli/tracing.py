"""The options of `--trace`, for `edged run` and `edged demo`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from edged.errors import ConfigError

if TYPE_CHECKING:
    from edged.config.schema import Config
    from edged.errors import OutputNotWritable
    from edged.pipeline.trace import SpareTrace

    OpenTrace: TypeAlias = Callable[[Path], AbstractContextManager[SpareTrace]]

TraceOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Write the tracks of every frame here, in MOTChallenge format. With several cameras: FILE-NAME.",
    ),
]
TraceLabelOption = Annotated[
    str | None,
    typer.Option(
        metavar="LABEL",
        help="Which objects go into the trace: its format has no place for a label.",
        show_default="person",
    ),
]


def label_for(trace: Path | None, label: str | None) -> str:
    """The label of the objects that go into a trace. Raises typer.BadParameter where one is named, but no trace is."""
    if trace is None and label is not None:
        raise typer.BadParameter("--trace-label says what goes into --trace: give both, or neither")
    return label or "person"


class Traces:
    """The traces of `edged run`, one a camera; with no path, none."""

    def __init__(self, path: Path | None, open_one: OpenTrace, files: ExitStack) -> None:
        """`files` closes them in the end."""
        self.of: dict[str, list[SpareTrace]] = {}
        self._path = path
        self._model = ""
        self._open_one = open_one
        self._files = files

    def opened_for(self, config: Config) -> Config:
        """Open one for each camera that has none yet, since a reload may bring some. Raises EdgedError."""
        if self._path is None:
            return config
        if self.of and config.model.path != self._model:  # whose numbers for its labels are in use
            raise ConfigError("model.path: cannot be changed while edged run --trace goes on.", hint="Restart edged.")
        self._model = config.model.path
        for name in [camera.name for camera in config.camera if camera.name not in self.of]:
            alone = len(config.camera) == 1 and not self.of
            path = self._path if alone else self._path.with_name(f"{self._path.stem}-{name}{self._path.suffix}")
            self.of[name] = [self._files.enter_context(self._open_one(path))]
        return config

    @property
    def error(self) -> OutputNotWritable | None:
        """Why one is not complete, if one is not."""
        return next((trace.error for (trace,) in list(self.of.values()) if trace.error is not None), None)
