"""`edged models`: which models there are, and whether one is sound."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edged.cli.model_options import MODEL_HELP
from edged.cli.where import cache_folder

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
    console.print(_BETTER, soft_wrap=True)  # commands to copy


ModelArgument = Annotated[str, typer.Argument(help=MODEL_HELP)]
BackendOption = Annotated[
    str, typer.Option("--backend", help="One engine alone, as model.backend names it.", metavar="NAME")
]


@app.command("explain")
def explain(
    model: ModelArgument = "builtin",
    backend: BackendOption = "auto",
) -> None:
    """Say which engine would run a model on this machine, and why not another; nothing is loaded.

    Example: edged models explain ./picodet-s
    """
    from edged import app as edged_app
    from edged.cli.console import stdout_console
    from edged.cli.model_report import choice_table, choice_words, model_words

    spec, choice = edged_app.explain_model(model, backend)
    console = stdout_console()
    for line in model_words(spec):
        typer.echo(line)
    console.print(choice_table(choice))
    for line in choice_words(choice):
        typer.echo(line)
    edged_app.demand_engine(choice, model=spec.name, formats=spec.formats)


@app.command("verify")
def verify(
    model: ModelArgument = "builtin",
    image: Annotated[
        Path | None,
        typer.Option(help="A picture to run the model on; what is found in it is printed.", metavar="FILE"),
    ] = None,
    backend: BackendOption = "auto",
    record: Annotated[
        bool,
        typer.Option("--record", help="Keep the picture, and what is found in it now, as the model's golden answer."),
    ] = False,
) -> None:
    """Run a model in every installed engine, side by side, and say whether each is right, and how fast.

    Where the folder has a golden picture, each engine's answer is compared with the recorded one. The exit code is 4
    when an installed one cannot run the model or gives another answer. What an engine builds from the model stays in
    ~/.cache/edged for the next time.

    Example: edged models verify ./picodet-s
    """
    from edged import app as edged_app
    from edged.cli.console import stdout_console
    from edged.cli.model_report import found_words, model_words, verify_table

    def progress(text: str) -> None:
        typer.echo(text, err=True)

    if record:
        if image is None:
            raise typer.BadParameter("--record needs --image: the picture to keep")
        labels = edged_app.model_spec(model).labels
        found = edged_app.record_answer(model, image, wanted=backend, cache_dir=cache_folder(), progress=progress)
        typer.echo(f"recorded in {edged_app.model_spec(model).folder}: the picture and what is found in it")
        for line in found_words(found, labels):
            typer.echo(line)
    spec, reports = edged_app.verify_engines(model, image, wanted=backend, cache_dir=cache_folder(), progress=progress)
    for line in model_words(spec):
        typer.echo(line)
    stdout_console().print(verify_table(reports))
    for each in reports:
        if each.report is not None and each.report.detections is not None:
            typer.echo(f"{each.verdict.engine}:")
            for line in found_words(each.report.detections, spec.labels):
                typer.echo(line)
    failed = [(each.verdict.engine, each.error) for each in reports if each.error is not None]
    for engine, error in failed:
        typer.echo(f"{engine}: {error}", err=True)
    if failed:
        raise typer.Exit(failed[0][1].exit_code)
