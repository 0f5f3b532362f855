"""`edged replay`: what a recording becomes under several policies, so that users can choose on their own footage."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from edged.scheduling.agreement import Agreement, Run

    Result = tuple[Run, Agreement]

_USUAL = ["adaptive", "stride:2", "stride:3", "stride:5", "stride:8"]


def replay(
    video: Annotated[str, typer.Argument(help="A video file, or a folder of pictures.")],
    policy: Annotated[
        list[str], typer.Option(help="adaptive, or stride:N for every N-th frame. May be given several times.")
    ] = _USUAL,
    report: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write report.json and a plot of cost against agreement here.")
    ] = None,
    traces: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the tracks of each policy here, in MOTChallenge format.")
    ] = None,
    trace_label: Annotated[str, typer.Option(help="The label whose tracks are written.")] = "person",
    model: Annotated[str, typer.Option(help="A model folder, or a name from `edged models list`.")] = "builtin",
    threads: Annotated[int, typer.Option(help="Threads of one inference.", min=1, max=64)] = 1,
) -> None:
    """Play a recording once, and compare what each policy makes of it with looking at every frame.

    Example: edged replay yard.mp4 --policy adaptive --policy stride:5 --report report
    """
    from edged import app
    from edged.cli.console import stdout_console
    from edged.cli.running import log_to_stderr

    log_to_stderr("warning")
    console = stdout_console()
    with console.status("Playing ...") as status:
        results = app.replay(
            video,
            list(dict.fromkeys(policy)),
            model=model,
            threads=threads,
            traces=traces,
            trace_label=trace_label,
            progress=lambda done, expected: status.update(f"{done} of {expected or '?'} frames"),
        )
    console.print(_table(results))
    if report is not None:
        for path in _write(report, results):
            console.print(f"  {path}", soft_wrap=True)


def _table(results: list[Result]) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    columns = ("policy", "detector runs", "saved", "CPU a frame", "boxes alike", "objects", "missed", "joined")
    for name in (*columns, "twice", "extra", "late (p95)"):
        table.add_column(name, justify="left" if name == "policy" else "right", no_wrap=True)
    for run, agreement in results:
        table.add_row(
            run.policy,
            str(run.looks),
            f"{agreement.runs_saved:.1%}",
            f"{1000 * run.cpu_s / max(len(run.boxes), 1):.2f} ms",
            f"{agreement.alike:.1%}",
            str(len(run.appeared)),
            f"{agreement.missed} of {agreement.stayed}",
            str(agreement.joined),
            str(agreement.duplicated),
            str(agreement.extra),
            f"{agreement.late_p95_s:+.2f} s",
        )
    return table


def _write(folder: Path, results: list[Result]) -> list[Path]:
    """Write the report; return its files. Raises OutputNotWritable."""
    from edged.imaging.files import make_folder, write_file
    from edged.imaging.plot import scatter

    make_folder(folder)
    rows = [
        {"policy": run.policy, "frames": len(run.boxes), "runs": run.looks, "cpu_s": run.cpu_s, **asdict(agreement)}
        for run, agreement in results
    ]
    series: dict[str, list[tuple[float, float, str]]] = {}
    for run, agreement in results:
        kind = "adaptive" if run.policy.startswith("adaptive") else "stride"
        cost = 100 * (1 - agreement.runs_saved)
        series.setdefault(kind, []).append((cost, 100 * agreement.alike, run.policy))
    plot = scatter(series, x_title="detector runs, % of frames", y_title="boxes like those of every frame, %")
    write_file(folder / "report.json", (json.dumps(rows, indent=1) + "\n").encode())
    write_file(folder / "plot.svg", plot.encode())
    return [folder / "report.json", folder / "plot.svg"]
