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
    str,
    typer.Option(metavar="LABEL", help="Which objects go into the trace: its format has no place for a label."),
]


def path_for_camera(trace: Path, camera: str) -> Path:
    """One camera's own trace file, beside the one that was named."""
    return trace.with_name(f"{trace.stem}-{camera}{trace.suffix}")
