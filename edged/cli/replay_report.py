"""What `edged replay` shows and writes: cost beside agreement with looking at every frame."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

from rich import box
from rich.table import Table

from edged.app.replay import Replay, Replayed
from edged.imaging.files import write_file
from edged.imaging.plot import scatter
from edged.scheduling.agreement import Agreement

Columns = Mapping[str, Callable[[Replayed], str | None]]
"""What stands above a column, and what a policy's row holds. A column of Nones is left out."""


def _per_frame(one: Replayed, amount: float) -> float:
    return amount / max(len(one.run.boxes), 1)


def _events(held_against: Callable[[Replayed], Agreement | None]) -> Columns:
    """Make the columns that hold a policy's events against others."""

    def column(say: Callable[[Agreement], str]) -> Callable[[Replayed], str | None]:
        return lambda one: None if (agreement := held_against(one)) is None else say(agreement)

    return {
        "missed": column(lambda it: f"{it.missed} of {it.stayed}"),
        "joined": column(lambda it: str(it.joined)),
        "twice": column(lambda it: str(it.duplicated)),
        "extra": column(lambda it: str(it.extra)),
        "late p95": column(lambda it: f"{it.late_p95_s:+.2f} s" if it.late_s else "–"),
    }


def _mj(one: Replayed) -> str | None:
    return None if one.energy_j is None else f"{1000 * _per_frame(one, one.energy_j):.1f} mJ"


COST: Columns = {
    "policy": lambda one: one.run.policy,
    "detector runs": lambda one: str(one.run.looks),
    "saved": lambda one: f"{one.agreement.runs_saved:.1%}",
    "CPU a frame": lambda one: f"{1000 * _per_frame(one, one.run.cpu_s):.2f} ms",
    "energy a frame": _mj,
    "HOTA": lambda one: None if one.score is None else f"{one.score.hota:.1f}",
    "MOTA": lambda one: None if one.score is None else f"{one.score.mota:.1f}",
    "IDF1": lambda one: None if one.score is None else f"{one.score.idf1:.1f}",
}
AGREEMENT: Columns = {
    "policy": lambda one: one.run.policy,
    "alike": lambda one: f"{one.agreement.alike:.1%}",
    "objects": lambda one: str(len(one.run.appeared)),
    **_events(lambda one: one.agreement),
}
TRUTH: Columns = {"against the truth": lambda one: one.run.policy, **_events(lambda one: one.true)}


def table(played: Replay, columns: Columns) -> Table:
    """Make a table with a row a policy."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    cells = {name: [cell(one) for one in played.policies] for name, cell in columns.items()}
    known = {name: cell for name, cell in cells.items() if cell[0] is not None}
    for place, name in enumerate(known):
        table.add_column(name, justify="right" if place else "left", no_wrap=True)
    for row in zip(*known.values(), strict=True):
        table.add_row(*row)
    return table


def energy(played: Replay) -> str:
    """Say where the energies come from, or that there are none."""
    draw = played.draw
    if draw is None:
        return "Energy: unknown. No sensor that this user may read tells what the machine draws (RAPL: root only)."
    return (
        f"Energy: {draw.busy_w:.2f} W at work, {draw.rest_w:.2f} W at rest ({draw.source}); what is above rest counts."
    )


def write_report(folder: Path, played: Replay) -> list[Path]:
    """Write the report into a folder that is there; return its files. Raises OutputNotWritable."""
    files = {"report.json": json.dumps([_row(played, one) for one in played.policies], indent=1) + "\n"}
    files["plot.svg"] = _plot(played, "boxes like those of every frame, %", lambda one: 100 * one.agreement.alike)
    if all(one.score for one in played.policies):
        files["hota.svg"] = _plot(played, "HOTA", lambda one: one.score.hota if one.score else 0.0)
    for name, text in files.items():
        write_file(folder / name, text.encode())
    return [folder / name for name in files]


def _row(played: Replay, one: Replayed) -> dict[str, object]:
    run = {"policy": one.run.policy, "frames": len(one.run.boxes), "runs": one.run.looks, "cpu_s": one.run.cpu_s}
    energy = {"energy_j": one.energy_j, "energy_source": played.draw and played.draw.source}
    return {**run, **energy, **_agreement(one.agreement), **_against_truth(one)}


def _against_truth(one: Replayed) -> dict[str, object]:
    if one.score is None or one.true is None:
        return {}
    of_events = ("stayed", "missed", "joined", "duplicated", "extra", "late_s", "late_p95_s")
    agreement = _agreement(one.true)
    return {**asdict(one.score), **{f"true_{name}": agreement[name] for name in of_events}}


def _agreement(agreement: Agreement) -> dict[str, object]:
    return {**asdict(agreement), "late_p95_s": agreement.late_p95_s}


def _plot(played: Replay, y_title: str, y: Callable[[Replayed], float]) -> str:
    """Cost against quality; the cost is the energy where that is known."""
    by_energy = played.draw is not None
    series: dict[str, list[tuple[float, float, str]]] = {}
    for one in played.policies:
        kind = "adaptive" if one.run.policy.startswith("adaptive") else "stride"
        cost = 100 * (1 - one.agreement.runs_saved)
        if one.energy_j is not None:
            cost = 1000 * _per_frame(one, one.energy_j)
        series.setdefault(kind, []).append((cost, y(one), one.run.policy))
    x_title = "energy, mJ a frame" if by_energy else "detector runs, % of frames"
    return scatter(series, x_title=x_title, y_title=y_title)
