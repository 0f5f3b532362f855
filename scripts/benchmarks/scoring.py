"""Score traces in MOTChallenge format against ground truth with TrackEval's own metrics.

What of the truth counts is said in edged.tracking.truth.

    scripts/score TRACE GT      a trace, and a gt.txt or the sequence's folder
    scripts/score TRACES GTS    a folder of NAME.txt, and a folder that holds NAME/gt/gt.txt
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from trackeval.metrics import CLEAR, HOTA, Identity

from edged.domain.boxes import tlwh_to_xyxy
from edged.tracking.score import Score
from edged.tracking.truth import Ids, Truth, parse_rows

Table = npt.NDArray[np.float64]  # rows of frame, id, left, top, width, height, confidence or mark, class, …

FRAME, ID, BOX = 0, 1, slice(2, 6)


def read_table(path: Path) -> Table:
    """Read a MOTChallenge text file; an empty one has no rows. Raises ValueError, with the file's name."""
    try:
        lines = [line for line in path.read_text().splitlines() if line.strip()]
        table = np.loadtxt(lines, delimiter=",", ndmin=2) if lines else np.empty((0, 8))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    if table.shape[1] < 7:
        raise ValueError(f"{path}: a row is frame,id,left,top,width,height,confidence, and more that may follow")
    return table


def read_tracks(path: Path) -> Table:
    """Read a trace or a truth, whose ids name objects. Raises ValueError, with the file's name and the line."""
    try:
        with path.open(encoding="utf-8") as file:
            return parse_rows(file)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def score(pairs: dict[str, tuple[Table, Table]]) -> dict[str, Score]:
    """Score {name: (trace, ground truth)}; the answer holds "all", the sequences together, as well."""
    metrics = [HOTA(), CLEAR({"PRINT_CONFIG": False}), Identity({"PRINT_CONFIG": False})]
    data = {name: prepare(trace, truth) for name, (trace, truth) in pairs.items()}
    results = [{name: metric.eval_sequence(one) for name, one in data.items()} for metric in metrics]
    scores = {name: _score([result[name] for result in results]) for name in data}
    together = [metric.combine_sequences(result) for metric, result in zip(metrics, results, strict=True)]
    return {**scores, "all": _score(together)}


def _score(results: list[dict[str, Any]]) -> Score:
    hota, clear, identity = results
    return Score(
        hota=float(np.mean(hota["HOTA"])) * 100,
        mota=float(clear["MOTA"]) * 100,
        idf1=float(identity["IDF1"]) * 100,
        switches=int(clear["IDSW"]),
    )


def prepare(trace: Table, truth: Table) -> dict[str, Any]:
    """Make what TrackEval's metrics eat of one sequence."""
    judge = Truth(truth)
    last = max(int(trace[:, FRAME].max(initial=0)), judge.frames)
    shown = [trace[trace[:, FRAME] == number] for number in range(1, last + 1)]
    frames = [
        judge.judge(number, rows[:, ID].astype(np.int64), tlwh_to_xyxy(rows[:, BOX]))
        for number, rows in enumerate(shown, 1)
    ]
    gt_ids, gt_count = _numbered([frame.truth_id for frame in frames])
    tracker_ids, tracker_count = _numbered([frame.track_id for frame in frames])
    return {
        "gt_ids": gt_ids,
        "tracker_ids": tracker_ids,
        "similarity_scores": [frame.overlap for frame in frames],
        "num_gt_ids": gt_count,
        "num_tracker_ids": tracker_count,
        "num_gt_dets": sum(map(len, gt_ids)),
        "num_tracker_dets": sum(map(len, tracker_ids)),
        "num_timesteps": last,
    }


def _numbered(ids: list[Ids]) -> tuple[list[npt.NDArray[np.intp]], int]:
    """Number the ids 0, 1, 2, … without a gap."""
    known, numbers = np.unique(np.concatenate([*ids, np.empty(0, np.int64)]), return_inverse=True)
    return np.split(numbers, np.cumsum([len(found) for found in ids])[:-1]), len(known)


def find_pairs(trace: Path, truth: Path) -> dict[str, tuple[Path, Path]]:
    """Pair the files of the command line by name."""
    if trace.is_dir():
        return {path.stem: (path, truth / path.stem / "gt" / "gt.txt") for path in sorted(trace.glob("*.txt"))}
    return {trace.stem: (trace, truth / "gt" / "gt.txt" if truth.is_dir() else truth)}


def main() -> None:
    """Print a table; write the numbers with --json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trace", type=Path, help="trace file, or folder of them")
    parser.add_argument("truth", type=Path, help="gt.txt, or folder")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers here as well")
    args = parser.parse_args()
    pairs = find_pairs(args.trace, args.truth)
    if missing := [str(path) for pair in pairs.values() for path in pair if not path.is_file()]:
        parser.error("not found: " + ", ".join(missing))
    if not pairs:
        parser.error(f"no .txt in {args.trace}")
    try:
        tables = {name: (read_tracks(a), read_tracks(b)) for name, (a, b) in pairs.items()}
    except ValueError as error:
        parser.error(str(error))
    scores = score(tables)
    print(f"{'':20} {'HOTA':>6} {'MOTA':>6} {'IDF1':>6} {'IDSW':>6}")
    for name, one in scores.items():
        print(f"{name:20} {one.hota:6.2f} {one.mota:6.2f} {one.idf1:6.2f} {one.switches:6d}")
    if args.json:
        args.json.write_text(json.dumps({name: asdict(one) for name, one in scores.items()}, indent=1) + "\n")


if __name__ == "__main__":
    main()
