"""Where commands write: tables for people, plain lines for other programs."""

from __future__ import annotations

import os

from rich.console import Console
from rich.table import Table

_ANY_WIDTH = 10_000
_WIDTH_WITHOUT_TERMINAL = 200  # nothing is cut off or wrapped when a table goes to a file or another program


class _Stdout(Console):
    def on_broken_pipe(self) -> None:
        """Leave it to edged.cli.main, instead of rich's exit code 1."""
        raise BrokenPipeError


def stdout_console() -> Console:
    """The console for a command's results."""
    console = _Stdout(highlight=False, markup=False)
    if (not console.is_terminal and "COLUMNS" not in os.environ) or not console.width:  # `watch` says how wide it is
        console.width = _WIDTH_WITHOUT_TERMINAL
    return console


def fits(table: Table, console: Console) -> bool:
    """Whether no cell of a table is wrapped or cut off there."""
    return _width(table, console) <= console.width


def print_whole(table: Table, console: Console) -> None:
    """Print a table of numbers: where it does not fit, the terminal breaks its lines, and no cell is cut off."""
    before, console.width = console.width, max(console.width, _width(table, console))
    console.print(table)
    console.width = before


def _width(table: Table, console: Console) -> int:
    return console.measure(table, options=console.options.update(width=_ANY_WIDTH)).maximum
