"""What skipping frames costs in tracks and events: each policy on each sequence, scored with TrackEval.

The sequences are those of MOTChallenge's layout below EDGED_SHARED/tracking (det/det.txt, gt/gt.txt, seqinfo.ini). The
published detections are the detector: a policy gets those of the frames that it picks. A sequence of which there is a
recording has a row `adaptive+motion` too, with its pixels for motion. Events are held against those of every frame, and
against those that a detector and a tracker without a fault would have made ("true").

    scripts/bench scheduling [--json FILE] [--plot FILE.svg]
"""

from __future__ import annotations

import argparse
import json
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from scoring import Score, Table, read_table, score
from sequences import Published, Sequence, TrueTracker, find_sequences, shared_dir

from edged.clock import SystemClock
from edged.imaging.plot import scatter
from edged.pipeline.rehearsal import Candidate, Rehearsal
from edged.pipeline.trace import TraceWriter
from edged.ports import Scheduler
from edged.rules.presence import Presence
from edged.scheduling.adaptive import Adaptive
from edged.scheduling.agreement import Agreement, Run, compare
from edged.scheduling.motion import Motion
from edged.scheduling.stride import Stride

STRIDES = (1, 2, 3, 5, 8)
GROUPS = {
    "static cameras, 30 Hz": ("MOT17-02", "MOT17-04", "MOT17-09"),
    "static cameras, 7 to 30 Hz": ("PETS09-S2L1", "TUD-Campus", "ADL-Rundle-6"),
    "moving cameras": ("ETH-Bahnhof", "ETH-Sunnyday", "KITTI-13"),
}
EVERY = "stride:1"

Rows = dict[str, dict[str, dict[str, float]]]


def policies(*, with_pixels: bool) -> dict[str, Scheduler]:
    """New ones, by name."""
    if with_pixels:
        return {EVERY: Stride(1), "adaptive+motion": Adaptive(Motion())}
    return {**{f"stride:{every}": Stride(every) for every in STRIDES}, "adaptive": Adaptive(None)}


@dataclass(frozen=True)
class Played:
    """What came of a policy on a sequence."""

    run: Run
    agreement: Agreement  # with every frame
    true: Agreement  # with the truth
    trace: Table


def play(sequence: Sequence, *, with_pixels: bool) -> dict[str, Played]:
    """Let all policies go over a sequence side by side."""
    with tempfile.TemporaryDirectory() as folder:
        traces, candidates = {}, []
        for name, policy in policies(with_pixels=with_pixels).items():
            traces[name] = Path(folder) / f"{name}.txt"
            trace = TraceWriter(traces[name], class_ids=[0])
            rules = [Presence(name, Published.labels)]
            candidates.append((Candidate(name, policy, sequence.tracker(), rules, [trace]), trace))
        perfect = Candidate("truth", Stride(1), TrueTracker(sequence), [Presence("truth", Published.labels)])
        rehearsal = Rehearsal(
            [perfect, *(candidate for candidate, _ in candidates)], Published(sequence), clock=SystemClock()
        )
        for frame in sequence.frames(with_pixels=with_pixels):
            rehearsal.step(frame)
        for _, trace in candidates:
            with closing(trace):
                pass
        truth, *runs = rehearsal.finish()
        tables = {name: read_table(path) for name, path in traces.items()}
    return {run.policy: Played(run, compare(runs[0], run), compare(truth, run), tables[run.policy]) for run in runs}


def row(played: Played, scored: Score) -> dict[str, float]:
    """The numbers of one policy on one sequence."""
    run, agreement, true = played.run, played.agreement, played.true
    return {
        "runs_saved": agreement.runs_saved,
        "hota": scored.hota,
        "mota": scored.mota,
        "idf1": scored.idf1,
        "switches": scored.switches,
        "objects": agreement.appeared,
        "stayed": agreement.stayed,
        "missed": agreement.missed,
        "joined": agreement.joined,
        "duplicated": agreement.duplicated,
        "late_p95_s": agreement.late_p95_s,
        "true_stayed": true.stayed,
        "true_missed": true.missed,
        "true_joined": true.joined,
        "true_duplicated": true.duplicated,
        "frames": len(run.boxes),
        "runs": run.looks,
    }


def measure(sequences: list[Sequence]) -> tuple[Rows, Rows]:
    """Play all; return rows by sequence and policy, and by group and policy."""
    rows: Rows = {}
    pairs: dict[str, dict[str, tuple[Table, Table]]] = {}
    for sequence in sequences:
        for with_pixels in (False, True) if sequence.video else (False,):
            for name, played in play(sequence, with_pixels=with_pixels).items():
                pair = (played.trace, sequence.truth)
                scored = score({sequence.name: pair})[sequence.name]
                rows.setdefault(sequence.name, {})[name] = row(played, scored)
                pairs.setdefault(name, {})[sequence.name] = pair
        show(sequence.name, rows[sequence.name])
    groups: Rows = {}
    for group, names in GROUPS.items():
        for policy, found in pairs.items():
            mine = {name: found[name] for name in names if name in found}
            if mine and len(mine) == len([name for name in names if name in rows]):
                groups.setdefault(group, {})[policy] = together(mine, [rows[name][policy] for name in mine])
    return rows, groups


def together(pairs: dict[str, tuple[Table, Table]], rows: list[dict[str, float]]) -> dict[str, float]:
    """The numbers of one policy on a group of sequences."""
    scored = score(pairs)["all"]
    frames, runs = (sum(one[key] for one in rows) for key in ("frames", "runs"))
    counts = ("stayed", "missed", "joined", "duplicated")
    sums = {key: sum(one[key] for one in rows) for key in (*counts, *(f"true_{count}" for count in counts))}
    return {
        "runs_saved": 1 - runs / frames,
        "hota": scored.hota,
        "mota": scored.mota,
        "idf1": scored.idf1,
        **sums,
        "late_p95_s": max(one["late_p95_s"] for one in rows),
    }


def show(name: str, rows: dict[str, dict[str, float]]) -> None:
    """Print a table."""
    against = f"{'missed':>10} {'joined':>6} {'twice':>5}"
    print(f"\n{'':56} {'against every frame':^32} {'against the truth':>23}")
    print(f"{name:28} {'saved':>6} {'HOTA':>6} {'MOTA':>6} {'IDF1':>6} {against} {'late p95':>8} {against}")
    for policy, one in rows.items():
        events, true = (
            f"{one[kind + 'missed']:3.0f} of {one[kind + 'stayed']:3.0f}"
            f" {one[kind + 'joined']:6.0f} {one[kind + 'duplicated']:5.0f}"
            for kind in ("", "true_")
        )
        print(
            f"  {policy:26} {one['runs_saved']:6.1%} {one['hota']:6.1f} {one['mota']:6.1f} {one['idf1']:6.1f}"
            f" {events} {one['late_p95_s']:+6.2f} s {true}",
            flush=True,
        )


def plot(groups: Rows) -> str:
    """HOTA lost against detector runs, a line of strides and the adaptive points for each group."""
    series: dict[str, list[tuple[float, float, str]]] = {}
    for group, rows in groups.items():
        best = rows[EVERY]["hota"]
        for policy, one in rows.items():
            kind = f"{group}: {'stride' if policy.startswith('stride') else 'adaptive'}"
            label = policy.removeprefix("stride:") if policy.startswith("stride") else ""
            series.setdefault(kind, []).append((100 * (1 - one["runs_saved"]), one["hota"] - best, label))
    return scatter(series, x_title="detector runs, % of frames", y_title="HOTA against every frame")


def main() -> None:
    """Print tables; write the numbers with --json and the plot with --plot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers here as well")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the groups here, as SVG")
    args = parser.parse_args()
    sequences = find_sequences(shared_dir())
    if not sequences:
        parser.error(f"no sequences below {shared_dir()}: set EDGED_SHARED")
    rows, groups = measure(sequences)
    for group, found in groups.items():
        show(f"== {group}", found)
    if args.json:
        args.json.write_text(json.dumps({"sequences": rows, "groups": groups}, indent=1) + "\n")
    if args.plot:
        args.plot.write_text(plot(groups))


if __name__ == "__main__":
    main()
