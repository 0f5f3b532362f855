"""The options of `--trace`, for `edged run` and `edged demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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


def path_for_camera(trace: Path, camera: str) -> Path:
    """One camera's own trace file, beside the one that was named."""
    return trace.with_name(f"{trace.stem}-{camera}{trace.suffix}")
