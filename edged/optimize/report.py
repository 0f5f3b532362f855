"""What a person sees of a training: a progress bar, and tables of what came out."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from edged.optimize.classes import KEPT
from edged.optimize.evaluate import Precision

if TYPE_CHECKING:
    from edged.optimize.trainer import Progress as Standing


class Bar:
    """A progress bar that is told where a training stands; shows nothing without a console."""

    def __init__(self, console: Console | None) -> None:
        columns = (
            BarColumn(),
            TextColumn("{task.percentage:5.1f} %"),
            TimeElapsedColumn(),
            TextColumn("{task.description}"),
        )
        self._progress = Progress(*columns, console=console or Console(quiet=True))
        self._task = self._progress.add_task("", total=1.0)

    def __enter__(self) -> Bar:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def __call__(self, standing: Standing) -> None:
        """Show where the training stands."""
        self._progress.update(
            self._task,
            completed=standing.share,
            description=f"step {standing.step}  rate {standing.rate:.1e}  loss {standing.parts['loss']:.3f}",
        )


def precision_table(title: str, precision: Precision) -> Table:
    """A row a class: AP at IoU 0.5 and averaged over 0.5 to 0.95, in percent."""
    table = Table("class", "AP50", "AP50-95", title=title)
    for class_id, name in enumerate(KEPT):
        table.add_row(name, f"{precision.at50(class_id):.1%}", f"{precision.at50_95(class_id):.1%}")
    table.add_row("mean", f"{precision.map50:.1%}", f"{precision.map50_95:.1%}")
    return table
