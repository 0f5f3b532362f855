"""Cuts the power in the middle of event writing, again and again, and looks what is left.

    scripts/lab power [--cuts 200] [--json FILE]

The event store writes, in a process of its own, to ext4 on a disk with a volatile write cache (volatile_disk.py); a
reader follows. At a random moment the disk's medium is taken as a cut of power would leave it, mounted again, which
replays the journal, and opened by the event store, as after a restart. So it is while the log is made, too. The same
is done where it must go wrong: with ext4 that sends no barriers, and with SQLite's synchronous = NORMAL. Then the disk
fills up, and dies, while it is written to; and what wears it out is counted. Needs root. The exit code is 1 when a
promise is broken or a control does not fail, and 77 when this machine cannot make the experiment.
"""

from __future__ import annotations

import argparse
import logging
import random
import sys
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path

import disk_faults
from disk_stage import Cut, Variant, stage, what_is_missing
from fuse_file import be_alone
from report import Report, Row

_CUTS_A_ROUND = 25  # then a new disk, so that the log's first moments are cut too
_BOUND_S = 1.0  # what was put so long before the cut must be there; on a busy machine, so much later as it stood still
_WRITES_OF_MAKING = 35  # so many the disk sees until the log takes its first event: 30 were counted
_CONTROL_CUTS = 5  # of which at least one must fail
_LONG_RUN = 100  # cuts; a shorter run leaves out what takes minutes
_SKIPPED = 77

AS_SHIPPED = Variant()
CONTROLS = (
    Variant("control: ext4 with barrier=0", mount_options="barrier=0"),
    Variant("control: synchronous = NORMAL", synchronous="NORMAL"),
)


@dataclass
class Tally:
    """All cuts of a variant."""

    variant: Variant
    cuts: list[Cut] = field(default_factory=list)

    @property
    def verdicts(self) -> Counter[str]:
        return Counter(cut.verdict for cut in self.cuts)

    @property
    def failures(self) -> int:
        return sum(cut.verdict != "sound" for cut in self.cuts)


def cut_again_and_again(variant: Variant, cuts: int, *, seed: int) -> Tally:
    """Cut the power so many times."""
    tally, chance = Tally(variant), random.Random(seed)
    while len(tally.cuts) < cuts:
        print(f"  {len(tally.cuts)} of {cuts} cuts: {variant.name}", file=sys.stderr, flush=True)
        with stage(variant) as scene:
            for _ in range(min(_CUTS_A_ROUND, cuts - len(tally.cuts))):
                tally.cuts.append(scene.cut(chance))
    return tally


def cut_while_made(cuts: int, *, seed: int) -> Tally:
    """Cut the power so many times while the log is made, each on a new disk."""
    tally, chance = Tally(Variant("as shipped, while the log is made")), random.Random(seed)
    print(f"  {cuts} cuts: {tally.variant.name}", file=sys.stderr, flush=True)
    for _ in range(cuts):
        with stage(tally.variant, reader=False, is_made=False) as scene:
            tally.cuts.append(scene.cut(chance, writes_max=_WRITES_OF_MAKING))
    return tally


def judge_verdicts(tally: Tally, report: Report) -> None:
    """Say how many cuts the log survived."""
    sound = f"{len(tally.cuts) - tally.failures} of {len(tally.cuts)} sound"
    others = "; ".join(f"{count} {verdict}" for verdict, count in tally.verdicts.items() if verdict != "sound")
    report.add(
        Row(tally.variant.name, f"{sound} {others}".strip(), "all sound, nothing shown lost", not tally.failures)
    )


def judge(tally: Tally, report: Report) -> None:
    """Say what came of the log as it is shipped."""
    judge_verdicts(tally, report)
    cuts = tally.cuts
    busy = sum(cut.unflushed > 0 for cut in cuts)
    report.add(Row("cuts with unflushed writes", f"{busy} of {len(cuts)}"))
    report.add(Row("events shown before the last cut", f"{max(cut.shown for cut in cuts)}"))
    ages = sorted(cut.lost_age_s for cut in cuts)
    found = f"median {ages[len(ages) // 2]:.2f} s, longest {ages[-1]:.2f} s"
    kept = all(cut.lost_age_s <= _BOUND_S + 2 * cut.stall_s for cut in cuts)
    report.add(Row("age of the oldest event lost", found, f"at most {_BOUND_S:g} s, beside stalls", kept))
    report.add(Row("the machine stood still before a cut", f"for {max(cut.stall_s for cut in cuts):.2f} s at most"))


def judge_control(tally: Tally, report: Report) -> None:
    """Say whether a control failed, as it must."""
    verdicts = "; ".join(f"{count} {verdict}" for verdict, count in tally.verdicts.items())
    report.add(Row(tally.variant.name, f"{len(tally.cuts)} cuts: {verdicts}", "must fail", tally.failures > 0))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--cuts", type=int, default=200, help="how many (%(default)s)")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--json", type=Path)
    given = options.parse_args()
    if reason := what_is_missing():
        print(f"SKIPPED: {reason}.")
        sys.exit(_SKIPPED)
    be_alone()
    logging.disable(logging.CRITICAL)  # the store's word at each of the restarts
    report = Report()
    report.section("Power cuts in the middle of event writing")
    shipped = cut_again_and_again(AS_SHIPPED, given.cuts, seed=given.seed)
    judge(shipped, report)
    made = cut_while_made(given.cuts, seed=given.seed)
    judge_verdicts(made, report)
    tallies = [shipped, made]
    for control in CONTROLS:
        tallies.append(cut_again_and_again(control, _CONTROL_CUTS, seed=given.seed))
        judge_control(tallies[-1], report)
    report.section("A disk that fails in the middle of event writing, and comes back")
    faults = {"full": disk_faults.full(report), "dying": disk_faults.dying(report)}
    wear = None
    if given.cuts >= _LONG_RUN:
        report.section("What is written to the disk, the file system's own share included")
        wear = disk_faults.wear(report)
    report.measured = {tally.variant.name: [asdict(cut) for cut in tally.cuts] for tally in tallies}
    report.measured |= {"faults": faults, "wear": wear}
    report.end(given.json)


if __name__ == "__main__":
    main()
