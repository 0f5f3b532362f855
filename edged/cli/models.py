"""`edged models`: which models there are, and whether one is whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

if TYPE_CHECKING:
    from edged.detect.selfcheck import ModelReport

_BETTER = """\
Better for real work, as folders of your own (docs/models.md):
  PicoDet-S, Apache-2.0, 80 labels, on a workstation: scripts/get_model picodet-s-416 (pinned by its checksum)
  Any YOLO by Ultralytics, AGPL-3.0, on a workstation: yolo export model=yolo11n.pt format=ncnn imgsz=320
Then: edged models verify DIR, and model.path = "DIR" in the configuration."""

app = typer.Typer(help="List models and try them.", no_args_is_help=True, rich_markup_mode=None)


@app.command("list")
def list_models() -> None:
    """List the models that a configuration can name, and how to get better ones.

    Example: edged models list
    """
    from rich import box
    from rich.table import Table

    from edged import app as edged_app
    from edged.cli.console import stdout_console

    table = Table("name", "input", "labels", "licence", "what it is", box=box.SIMPLE_HEAD, pad_edge=False)
    for name, spec in edged_app.list_models().items():
        size = f"{spec.input.width_px} × {spec.input.height_px}"
        table.add_row(name, size, ", ".join(spec.labels), spec.licence, f"{spec.name}, {spec.source}")
    console = stdout_console()
    console.print(table)
    console.print(_BETTER)


@app.command("verify")
def verify(
    model: Annotated[str, typer.Argument(help="A model folder, or a name from `edged models list`.")],
    image: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads this on Python 3.10 too
        typer.Option(help="A picture to look at; what is found in it is printed.", metavar="FILE"),
    ] = None,
) -> None:
    """Load a model, run it, and say what it gave. The exit code is 4 when it cannot be used.

    Example: edged models verify ./picodet-s
    """
    from edged import app as edged_app

    for line in _words(edged_app.verify_model(model, image)):
        typer.echo(line)


def _words(report: ModelReport) -> Iterator[str]:
    spec = report.spec
    yield f"{spec.name}: sound ({spec.licence}; {spec.source})"
    wanted = spec.input
    yield f"input    {wanted.width_px} × {wanted.height_px} {wanted.colour.value}, {wanted.resize.value}"
    yield f"head     {spec.head.family.value}, {len(spec.labels)} labels"
    yield f"outputs  {', '.join(map(str, report.output_shapes))}"
    if report.detections is not None:
        found = report.detections
        yield f"found    {len(found)} objects"
        for xyxy, confidence, class_id in zip(found.xyxy.tolist(), found.confidence, found.class_id, strict=True):
            yield f"  {spec.labels[class_id]} {confidence:.0%} at {', '.join(f'{edge:.0f}' for edge in xyxy)}"
