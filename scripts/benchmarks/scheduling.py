"""What skipping frames costs in tracks and events: each policy on each sequence, scored with TrackEval.

The sequences are those of MOTChallenge's layout below EDGED_SHARED/tracking (det/det.txt, gt/gt.txt, seqinfo.ini). The
published detections are the detector: a policy gets those of the frames that it picks. A sequence of which there is a
recording has a row `adaptive+motion` too, with its pixels for motion. Events are held against those of every frame, and
against those that a detector and a tracker without a fault would have made ("true").

Whether a look comes a frame earlier or later decides who is mistaken for whom, and that is luck. So each sequence is
played several times, each time with one more of its first frames left out, and all numbers are means.

    scripts/bench scheduling [--json FILE] [--plot FILE.svg] [--plays N]
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Collection
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from scoring import FRAME, Score, Table, read_table, score
from sequences import LOST_AFTER_S, Published, Sequence, find_sequences, shared_dir

from edged.app.truth import TrueRun
from edged.clock import SystemClock
from edged.imaging.plot import scatter
from edged.pipeline.rehearsal import Candidate, Rehearsal
from edged.pipeline.trace import TraceWriter
from edged.ports import Scheduler
from edged.rules.presence import Presence
from edged.scheduling.adaptive import Adaptive
from edged.scheduling.agreement import Agreement, Run, compare, pooled_late_p95_s
from edged.scheduling.at_most import AtMost
from edged.scheduling.motion import Motion
from edged.scheduling.stride import Stride
from edged.tracking.truth import Truth

STRIDES = (1, 2, 3, 5, 8)
AT_MOST = (2, 3)  # `adaptive:N` looks at no more than one frame of N
GROUPS = {
    "static cameras, 30 Hz": ("MOT17-02", "MOT17-04", "MOT17-09"),
    "static cameras, 7 to 30 Hz": ("PETS09-S2L1", "TUD-Campus", "ADL-Rundle-6"),
    "moving cameras": ("ETH-Bahnhof", "ETH-Sunnyday", "KITTI-13"),
}
EVERY = "stride:1"
TOGETHER = "together"
PLAYS = 5  # so a stride of 5 is played at each of its offsets

Rows = dict[str, dict[str, dict[str, float]]]


def policies(*, with_pixels: bool) -> dict[str, Scheduler]:
    """New ones, by name."""
    if with_pixels:
        return {EVERY: Stride(1), "adaptive+motion": Adaptive(Motion())}
    strides = {f"stride:{every}": Stride(every) for every in STRIDES}
    return {
        **strides,
        "adaptive": Adaptive(None),
        **{f"adaptive:{every}": AtMost(Adaptive(None), every) for every in AT_MOST},
    }


@dataclass(frozen=True)
class Played:
    """What came of a policy on a sequence."""

    run: Run
    agreement: Agreement  # with every frame
    true: Agreement  # with the truth
    trace: Table


def play(sequence: Sequence, first: int, *, with_pixels: bool) -> dict[str, Played]:
    """Let all policies go over a sequence side by side, from the frame with the index `first` on."""
    with tempfile.TemporaryDirectory() as folder:
        traces, candidates = {}, []
        for name, policy in policies(with_pixels=with_pixels).items():
            traces[name] = Path(folder) / f"{name}.txt"
            trace = TraceWriter(traces[name], class_ids=[0])
            rules = [Presence(name, Published.labels)]
            candidates.append((Candidate(name, policy, sequence.tracker(), rules, [trace]), trace))
        truth = TrueRun(Truth(sequence.truth), Presence("truth", Published.labels), lost_after_s=LOST_AFTER_S)
        rehearsal = Rehearsal([candidate for candidate, _ in candidates], Published(sequence), clock=SystemClock())
        for frame in islice(sequence.frames(with_pixels=with_pixels), first, None):
            truth.show(frame)
            rehearsal.step(frame)
        for _, trace in candidates:
            with closing(trace):
                pass
        true, runs = truth.finish(), rehearsal.finish()
        tables = {name: read_table(path) for name, path in traces.items()}
    return {run.policy: Played(run, compare(runs[0], run), compare(true, run), tables[run.policy]) for run in runs}


def play_group(sequences: list[Sequence], first: int) -> Rows:
    """Play some sequences, each from its frame `first` on; return rows by sequence, and of TOGETHER, and by policy."""
    played: dict[str, dict[str, Played]] = {}
    for sequence in sequences:
        played[sequence.name] = play(sequence, first, with_pixels=False)
        if sequence.video:
            played[sequence.name] |= play(sequence, first, with_pixels=True)
    truths = {one.name: one.truth[one.truth[:, FRAME] > first] for one in sequences}
    rows: Rows = {name: {} for name in (*played, TOGETHER)}
    for policy in dict.fromkeys(policy for found in played.values() for policy in found):
        mine = {name: found[policy] for name, found in played.items() if policy in found}
        scores = score({name: (one.trace, truths[name]) for name, one in mine.items()})
        for name, one in mine.items():
            rows[name][policy] = row([one], scores[name])
        if len(mine) == len(played):
            rows[TOGETHER][policy] = row(mine.values(), scores["all"])
    return rows


def row(played: Collection[Played], scored: Score) -> dict[str, float]:
    """The numbers of one policy on one sequence, or on several together."""
    frames, looks = sum(len(one.run.boxes) for one in played), sum(one.run.looks for one in played)
    events, true = [one.agreement for one in played], [one.true for one in played]
    return {
        "runs_saved": 1 - looks / frames,
        "hota": scored.hota,
        "mota": scored.mota,
        "idf1": scored.idf1,
        "switches": scored.switches,
        "objects": sum(one.appeared for one in events),
        "stayed": sum(one.stayed for one in events),
        "missed": sum(one.missed for one in events),
        "joined": sum(one.joined for one in events),
        "duplicated": sum(one.duplicated for one in events),
        "late_p95_s": pooled_late_p95_s(events),
        "true_stayed": sum(one.stayed for one in true),
        "true_missed": sum(one.missed for one in true),
        "true_joined": sum(one.joined for one in true),
        "true_duplicated": sum(one.duplicated for one in true),
        "frames": frames,
        "runs": looks,
    }


def measure(sequences: list[Sequence], plays: int) -> tuple[Rows, Rows]:
    """Play all; return mean rows by sequence and policy, and by group and policy."""
    found: Rows = {}
    groups: Rows = {}
    for group, mine in grouped(sequences).items():
        rows = mean([play_group(mine, first) for first in range(plays)])
        if group in GROUPS:
            groups[group] = rows[TOGETHER]
        for one in mine:
            found[one.name] = rows[one.name]
            show(one.name, found[one.name])
    return found, groups


def grouped(sequences: list[Sequence]) -> dict[str, list[Sequence]]:
    """The groups of which all sequences are there; each other sequence by itself."""
    known = {one.name: one for one in sequences}
    whole = {group: [known[name] for name in names] for group, names in GROUPS.items() if known.keys() >= set(names)}
    taken = {one.name for mine in whole.values() for one in mine}
    return whole | {name: [one] for name, one in known.items() if name not in taken}


def mean(plays: list[Rows]) -> Rows:
    """The mean of each number over the plays, and how far apart the best and the worst HOTA are."""
    return {
        name: {
            policy: {key: float(np.mean([one[name][policy][key] for one in plays])) for key in numbers}
            | {"hota_range": float(np.ptp([one[name][policy]["hota"] for one in plays]))}
            for policy, numbers in rows.items()
        }
        for name, rows in plays[0].items()
    }


def show(name: str, rows: dict[str, dict[str, float]]) -> None:
    """Print a table."""
    against = f"{'missed':>14} {'joined':>6} {'twice':>5}"
    print(f"\n{'':56} {'against every frame':^36} {'against the truth':>27}")
    print(f"{name:28} {'saved':>6} {'HOTA':>6} {'MOTA':>6} {'IDF1':>6} {against} {'late p95':>8} {against}")
    for policy, one in rows.items():
        events, true = (
            f"{one[kind + 'missed']:5.1f} of {one[kind + 'stayed']:5.1f}"
            f" {one[kind + 'joined']:6.1f} {one[kind + 'duplicated']:5.1f}"
            for kind in ("", "true_")
        )
        print(
            f"  {policy:26} {one['runs_saved']:6.1%} {one['hota']:6.1f} {one['mota']:6.1f} {one['idf1']:6.1f}"
            f" {events} {one['late_p95_s']:+6.2f} s {true}",
            flush=True,
        )


def plot(groups: Rows) -> str:
    """HOTA lost against detector runs: for each group a line of strides, and the adaptive policy.

    With at most one frame of N that one comes to lie on the strides, so it is left out.
    """
    series: dict[str, list[tuple[float, float, str]]] = {}
    for group, rows in groups.items():
        best = rows[EVERY]["hota"]
        for policy, one in rows.items():
            kind, _, every = policy.partition(":")
            if kind == "stride" or not every:
                point = 100 * (1 - one["runs_saved"]), one["hota"] - best, every
                series.setdefault(f"{group}: {kind}", []).append(point)
    return scatter(series, x_title="detector runs, % of frames", y_title="HOTA against every frame")


def main() -> None:
    """Print tables; write the numbers with --json and the plot with --plot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers here as well")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the groups here, as SVG")
    parser.add_argument(
        "--plays", type=int, default=PLAYS, help="how often to play each sequence (default %(default)s)"
    )
    args = parser.parse_args()
    sequences = find_sequences(shared_dir())
    if not sequences:
        parser.error(f"no sequences below {shared_dir()}: set EDGED_SHARED")
    rows, groups = measure(sequences, args.plays)
    for group, found in groups.items():
        show(f"== {group}", found)
    if args.json:
        args.json.write_text(json.dumps({"plays": args.plays, "sequences": rows, "groups": groups}, indent=1) + "\n")
    if args.plot:
        args.plot.write_text(plot(groups))


if __name__ == "__main__":
    main()
