"""Which model, and with how many threads: options of several commands."""

from __future__ import annotations

from typing import Annotated

import typer

MODEL_HELP = "A model folder, or a name from `edged models list`."

ModelOption = Annotated[str, typer.Option(metavar="MODEL", help=MODEL_HELP)]
ThreadsOption = Annotated[int, typer.Option(metavar="N", help="Threads of one inference.", min=1, max=64)]
