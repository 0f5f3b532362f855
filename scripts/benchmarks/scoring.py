"""Score traces in MOTChallenge format against ground truth with TrackEval's own metrics.

Ground truth with classes (MOT16, MOT17, MOT20) counts pedestrians marked 1, and takes out what the tracker found of
its distractors, as TrackEval's MotChallenge2DBox does. Ground truth without classes (MOT15) counts what is marked 1.

    scripts/score TRACE GT      a trace, and a gt.txt or the sequence's folder
    scripts/score TRACES GTS    a folder of NAME.txt, and a folder that holds NAME/gt/gt.txt
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment
from trackeval.metrics import CLEAR, HOTA, Identity

from edged.domain.boxes import iou, tlwh_to_xyxy

Table = npt.NDArray[np.float64]  # rows of frame, id, left, top, width, height, confidence or mark, class, …

PEDESTRIAN = 1
DISTRACTORS = (2, 7, 8, 12)  # person on vehicle, static person, distractor, reflection
SAME = 0.5  # overlap from which a tracker's box is a distractor's
FRAME, ID, BOX, MARK, CLASS = 0, 1, slice(2, 6), 6, 7


@dataclass(frozen=True, slots=True)
class Score:
    """What the field quotes; the first three in percent."""

    hota: float
    mota: float
    idf1: float
    switches: int


def read_table(path: Path) -> Table:
    """Read a MOTChallenge text file; an empty one has no rows."""
    lines = [line for line in path.read_text().splitlines() if line.strip()]
    if not lines:
        return np.empty((0, 8))
    return np.loadtxt(lines, delimiter=",", ndmin=2)


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
    last = int(max(trace[:, FRAME].max(initial=0), truth[:, FRAME].max(initial=0)))
    frames = [_frame(trace[trace[:, FRAME] == n], truth[truth[:, FRAME] == n]) for n in range(1, last + 1)]
    gt_ids, gt_count = _numbered([found[0] for found in frames])
    tracker_ids, tracker_count = _numbered([found[1] for found in frames])
    return {
        "gt_ids": gt_ids,
        "tracker_ids": tracker_ids,
        "similarity_scores": [found[2] for found in frames],
        "num_gt_ids": gt_count,
        "num_tracker_ids": tracker_count,
        "num_gt_dets": sum(map(len, gt_ids)),
        "num_tracker_dets": sum(map(len, tracker_ids)),
        "num_timesteps": last,
    }


def _frame(trace: Table, truth: Table) -> tuple[Table, Table, Table]:
    """Return the ids in the ground truth and in the trace, and the overlaps, of what counts on one frame."""
    overlaps = iou(tlwh_to_xyxy(truth[:, BOX]), tlwh_to_xyxy(trace[:, BOX]))
    counted, kept = truth[:, MARK] != 0, np.ones(len(trace), bool)
    if truth.shape[1] == 9:  # MOT16 and later; in MOT15, columns 8 to 10 are coordinates in the world
        gated = np.where(overlaps < SAME - np.finfo(float).eps, 0, overlaps)
        rows, columns = linear_sum_assignment(-gated)
        distracted = (gated[rows, columns] > 0) & np.isin(truth[rows, CLASS], DISTRACTORS)
        kept[columns[distracted]] = False
        counted &= truth[:, CLASS] == PEDESTRIAN
    return truth[counted, ID], trace[kept, ID], overlaps[counted][:, kept]


def _numbered(ids: list[Table]) -> tuple[list[npt.NDArray[np.intp]], int]:
    """Number the ids 0, 1, 2, … without a gap."""
    known, numbers = np.unique(np.concatenate([*ids, np.empty(0)]), return_inverse=True)
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
    scores = score({name: (read_table(a), read_table(b)) for name, (a, b) in pairs.items()})
    print(f"{'':20} {'HOTA':>6} {'MOTA':>6} {'IDF1':>6} {'IDSW':>6}")
    for name, one in scores.items():
        print(f"{name:20} {one.hota:6.2f} {one.mota:6.2f} {one.idf1:6.2f} {one.switches:6d}")
    if args.json:
        args.json.write_text(json.dumps({name: asdict(one) for name, one in scores.items()}, indent=1) + "\n")


if __name__ == "__main__":
    main()
