"""`edged replay`: what a recording becomes under several policies, so that users can choose on their own footage."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edged.cli.model_options import ModelOption, ThreadsOption

_USUAL = ["adaptive", "stride:2", "stride:3", "stride:5", "stride:8"]


def replay(
    video: Annotated[str, typer.Argument(help="A video file, or a folder of pictures.")],
    policy: Annotated[
        list[str],
        typer.Option(
            metavar="POLICY",
            help="adaptive, adaptive:N to look at no more than one frame of N, or stride:N for every N-th frame. "
            "May be given several times.",
        ),
    ] = _USUAL,
    truth: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Ground truth in MOTChallenge format (gt.txt): adds HOTA, MOTA and IDF1."),
    ] = None,
    report: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write report.json and plots of cost against agreement here.")
    ] = None,
    traces: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the tracks of each policy here, in MOTChallenge format.")
    ] = None,
    trace_label: Annotated[
        str | None,
        typer.Option(
            help="The label whose tracks are written, and scored against the truth. Default: person.", metavar="LABEL"
        ),
    ] = None,
    model: ModelOption = "builtin",
    threads: ThreadsOption = 1,
) -> None:
    """Play a recording once, and compare what each policy makes of it with looking at every frame.

    Example: edged replay yard.mp4 --policy adaptive --policy stride:5 --report report
    """
    from edged import app
    from edged.cli.console import print_whole, stdout_console
    from edged.cli.replay_report import AGREEMENT, COST, TRUTH, energy, table, write_report
    from edged.cli.running import log_to_stderr
    from edged.imaging.files import make_folder

    log_to_stderr("warning")
    if report is not None:
        make_folder(report)  # before the minutes that a recording takes
    console = stdout_console()
    with console.status("Playing ...", refresh_per_second=2) as status:  # its CPU time counts too
        played = app.replay(
            video,
            list(dict.fromkeys(policy)),
            model=model,
            threads=threads,
            truth=truth,
            traces=traces,
            trace_label=trace_label,
            progress=lambda done, expected: status.update(f"{done} of {expected or '?'} frames"),
        )
    print_whole(table(played, COST), console)
    console.print(energy(played), soft_wrap=True)
    print_whole(table(played, AGREEMENT), console)
    if truth is not None:
        print_whole(table(played, TRUTH), console)
    if report is not None:
        for path in write_report(report, played):
            console.print(f"  {path}", soft_wrap=True)
    if played.incomplete is not None:
        raise played.incomplete
