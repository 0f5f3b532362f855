from __future__ import annotations

import json
from pathlib import Path

from rich.console import Console

from edged.app.replay import Replay, Replayed
from edged.cli.replay_report import AGREEMENT, COST, energy, table, write_report
from edged.health.power_meter import Draw
from edged.scheduling.agreement import Run, compare

FRAMES = 100


def played(draw: Draw | None) -> Replay:
    """Two policies; the second keeps the machine busy for a quarter of the time."""
    runs = [
        Run(name, at=[seq / 10 for seq in range(FRAMES)], boxes=[{}] * FRAMES, looks=looks, busy_s=looks / 50)
        for name, looks in (("every frame", 100), ("stride:4", 25))
    ]
    return Replay(
        [Replayed(run, compare(runs[0], run), None, None, draw.energy_j(run.busy_s) if draw else None) for run in runs],
        draw,
    )


def shown(replay: Replay) -> str:
    console = Console(width=200, record=True)
    console.print(table(replay, COST), energy(replay))
    return console.export_text()


def test_a_known_energy_has_a_column_and_its_source_and_is_the_cost_in_the_plot(tmp_path: Path) -> None:
    replay = played(Draw(rest_w=3.0, busy_w=8.0, source="INA3221 VDD_IN"))
    text = shown(replay)
    assert "100.0 mJ" in text
    assert "25.0 mJ" in text
    assert "8.00 W at work, 3.00 W at rest (INA3221 VDD_IN)" in text
    write_report(tmp_path, replay)
    assert [row["energy_j"] for row in json.loads((tmp_path / "report.json").read_text())] == [10.0, 2.5]
    assert "mJ a frame" in (tmp_path / "plot.svg").read_text()


def test_where_nobody_was_told_of_nobody_was_told_late() -> None:
    console = Console(width=200, record=True)
    console.print(table(played(None), AGREEMENT))
    text = console.export_text()
    assert "late p95" in text
    assert "0.00 s" not in text
    assert "–" in text


def test_an_unknown_energy_is_said_to_be_unknown_and_no_number(tmp_path: Path) -> None:
    replay = played(None)
    text = shown(replay)
    assert "mJ" not in text
    assert "Energy: unknown" in text
    write_report(tmp_path, replay)
    assert [row["energy_j"] for row in json.loads((tmp_path / "report.json").read_text())] == [None, None]
    assert "% of frames" in (tmp_path / "plot.svg").read_text()
