"""Cuts the power in the middle of event writing, again and again, and looks what is left.

    scripts/lab power [--cuts 200] [--json FILE]

The event store writes, in a process of its own, to ext4 on a disk with a volatile write cache (volatile_disk.py); a
reader follows. At a random moment the disk's medium is taken as a cut of power would leave it, mounted again, which
replays the journal, and opened by the event store, as after a restart. The same is done where it must go wrong: with
ext4 that sends no barriers, and with SQLite's synchronous = NORMAL. Needs root. The exit code is 1 when a promise is
broken or a control does not fail, and 77 when this machine cannot make the experiment.
"""

from __future__ import annotations

import argparse
import logging
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from fuse_file import disk_as_file
from power_writer import has_picture, picture
from report import Report, Row
from volatile_disk import VolatileDisk

from edged.clock import SystemClock
from edged.domain.events import TrackEvent
from edged.store.events import EventStore
from edged.store.reader import EventLog

_DISK_BYTES = 64 << 20
_CUTS_A_ROUND = 25  # then a new disk, so that the log's first moments are cut too
_WRITES_MAX, _LONGEST_WAIT_S = 60, 2.0  # from one cut to the next, whichever comes first
_BOUND_S = 1.0  # what was put so long before the cut must be there
_CONTROL_CUTS = 10  # of which at least one must fail
_SKIPPED = 77

WRITER = Path(__file__).with_name("power_writer.py")


@dataclass(frozen=True)
class Variant:
    """How the disk is mounted and the log written."""

    name: str
    mount_options: str = "defaults"
    synchronous: str = "FULL"


AS_SHIPPED = Variant("as shipped: WAL, synchronous = FULL")
CONTROLS = (
    Variant("control: ext4 with barrier=0", mount_options="barrier=0"),
    Variant("control: synchronous = NORMAL", synchronous="NORMAL"),
)


@dataclass(frozen=True)
class Cut:
    """What one cut left."""

    verdict: str  # "sound", or what is wrong
    shown: int  # events that a reader had been shown
    found: int  # events that were there afterwards
    lost_age_s: float  # how long before the cut the oldest event that is lost was put; 0 when none is
    unflushed: int  # writes in the disk's cache


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
        with _round(variant) as stage:
            for _ in range(min(_CUTS_A_ROUND, cuts - len(tally.cuts))):
                tally.cuts.append(stage.cut(chance))
    return tally


class Stage:
    """A disk in use: a writer and a reader at work on it."""

    def __init__(self, disk: VolatileDisk, folder: Path) -> None:
        self._disk = disk
        self._folder = folder

    def cut(self, chance: random.Random) -> Cut:
        """Cut the power, restart, and look."""
        left = self._disk.cut_power(chance, writes_max=_WRITES_MAX, within_s=chance.random() * _LONGEST_WAIT_S)
        shown = self._until(left.cut_at, "shown")
        put = self._until(left.cut_at, "put")
        survivor = self._folder / "survivor.img"
        survivor.write_bytes(left.image)
        verdict, found = self._restart(survivor, set(shown))
        ages = [left.cut_at - at for number, at in put.items() if number not in found]
        return Cut(verdict, len(shown), len(found), max(ages, default=0.0), left.unflushed)

    def _until(self, instant: float, name: str) -> dict[int, float]:
        """The events in a log of power_writer.py until then, and when each came."""
        events = ((int(number), float(at)) for number, at in map(str.split, _lines(self._folder / name)))
        return {number: at for number, at in events if at <= instant}

    def _restart(self, image: Path, shown: set[int]) -> tuple[str, set[int]]:
        place = self._folder / "after"
        mounted = subprocess.run(["mount", "-o", "loop", image, place], capture_output=True, text=True, check=False)
        if mounted.returncode != 0:
            return "file system corrupt", set()
        try:
            return _look(place / "data", shown)
        finally:
            subprocess.run(["umount", place], check=True)


def _look(data: Path, shown: set[int]) -> tuple[str, set[int]]:
    """Open the log as the daemon does at its start; say what is wrong, and which events there are."""
    if not data.exists():
        return ("sound" if not shown else "data folder lost"), set()
    try:
        with closing(EventStore(data, clock=SystemClock(), version="lab")) as store:
            store.open()
        if list(data.glob("*.damaged-*")):
            return "database corrupt", set()
        with closing(sqlite3.connect(data / "events.db")) as connection:
            complaint = connection.execute("PRAGMA integrity_check").fetchone()[0]
        records = list(EventLog(data).read())
    except (OSError, sqlite3.Error) as error:  # a file system that lost its barriers
        return f"unreadable: {error}", set()
    found = {record.event.track_id for record in records if isinstance(record.event, TrackEvent)}
    if complaint != "ok":
        return f"database corrupt: {complaint}", found
    if shown - found:
        return "events lost that had been shown", found
    if found != set(range(1, len(found) + 1)):
        return "a gap in the events", found
    for record in records:
        assert isinstance(record.event, TrackEvent)
        number = record.event.track_id
        if has_picture(number) and (record.snapshot is None or not _is_whole(data / record.snapshot, number)):
            return "an event without its picture", found
    return "sound", found


def _is_whole(path: Path, number: int) -> bool:
    try:
        return path.read_bytes() == picture(number)
    except OSError:
        return False


@contextmanager
def _round(variant: Variant) -> Iterator[Stage]:
    """A new disk with a writer and a reader on it."""
    with ExitStack() as stack:
        memory = Path("/dev/shm")
        folder = Path(tempfile.mkdtemp(prefix="edged-power-", dir=memory if os.access(memory, os.W_OK) else None))
        stack.callback(shutil.rmtree, folder)
        for name in ("live", "after"):
            (folder / name).mkdir()
        disk = VolatileDisk(_empty_ext4(folder / "empty.img"))
        stack.enter_context(disk_as_file(disk, folder / "disk"))
        options = f"loop,{variant.mount_options}"
        subprocess.run(["mount", "-o", options, folder / "disk", folder / "live"], check=True)
        stack.callback(subprocess.run, ["umount", folder / "live"], check=True)
        data = folder / "live" / "data"
        _begin(stack, data, folder / "put", "--synchronous", variant.synchronous)
        _begin(stack, data, folder / "shown", "--read")
        _wait_for_lines(folder / "put")
        yield Stage(disk, folder)


def _begin(stack: ExitStack, *arguments: str | Path) -> None:
    process = subprocess.Popen([sys.executable, WRITER, *arguments], stderr=subprocess.DEVNULL)
    stack.callback(process.wait)
    stack.callback(process.kill)


def _empty_ext4(path: Path) -> bytes:
    with path.open("wb") as file:
        file.truncate(_DISK_BYTES)
    extended = "lazy_itable_init=0,lazy_journal_init=0"
    subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", "-E", extended, path], check=True)
    content = path.read_bytes()
    path.unlink()
    return content


def _wait_for_lines(path: Path) -> None:
    deadline = time.monotonic() + 60.0
    while not _lines(path):
        if time.monotonic() > deadline:
            raise RuntimeError("the writer does not write")
        time.sleep(0.02)


def _lines(path: Path) -> Sequence[str]:
    """The whole lines of a file that grows."""
    return path.read_text().split("\n")[:-1] if path.exists() else []


def judge(tally: Tally, report: Report) -> None:
    """Say what came of the log as it is shipped."""
    cuts = tally.cuts
    sound = f"{len(cuts) - tally.failures} of {len(cuts)} sound"
    others = "; ".join(f"{count} {verdict}" for verdict, count in tally.verdicts.items() if verdict != "sound")
    report.add(
        Row(tally.variant.name, f"{sound} {others}".strip(), "all sound, nothing shown lost", not tally.failures)
    )
    busy = sum(cut.unflushed > 0 for cut in cuts)
    report.add(Row("cuts with unflushed writes", f"{busy} of {len(cuts)}"))
    report.add(Row("events shown before the last cut", f"{max(cut.shown for cut in cuts)}"))
    ages = sorted(cut.lost_age_s for cut in cuts)
    found = f"median {ages[len(ages) // 2]:.2f} s, longest {ages[-1]:.2f} s"
    report.add(Row("age of the oldest event lost", found, f"at most {_BOUND_S:g} s", ages[-1] <= _BOUND_S))


def judge_control(tally: Tally, report: Report) -> None:
    """Say whether a control failed, as it must."""
    verdicts = "; ".join(f"{count} {verdict}" for verdict, count in tally.verdicts.items())
    report.add(Row(tally.variant.name, f"{len(tally.cuts)} cuts: {verdicts}", "must fail", tally.failures > 0))


def what_is_missing() -> str | None:
    """Why this machine cannot make the experiment; None when it can."""
    if os.geteuid() != 0:
        return "it takes root, to mount"
    for device in ("/dev/fuse", "/dev/loop-control"):
        if not os.path.exists(device):  # noqa: PTH110 - one word
            return f"there is no {device} here"
    missing = [program for program in ("mke2fs", "mount", "umount") if shutil.which(program) is None]
    return f"there is no {missing[0]} here (Debian: e2fsprogs, mount)" if missing else None


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--cuts", type=int, default=200, help="how many (%(default)s)")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--json", type=Path)
    given = options.parse_args()
    if reason := what_is_missing():
        print(f"SKIPPED: {reason}.")
        sys.exit(_SKIPPED)
    logging.disable(logging.CRITICAL)  # the store's word at each of the restarts
    began, report = time.monotonic(), Report()
    report.section("Power cuts in the middle of event writing")
    shipped = cut_again_and_again(AS_SHIPPED, given.cuts, seed=given.seed)
    judge(shipped, report)
    tallies = [shipped]
    for control in CONTROLS:
        tallies.append(cut_again_and_again(control, _CONTROL_CUTS, seed=given.seed))
        judge_control(tallies[-1], report)
    report.measured = {tally.variant.name: [asdict(cut) for cut in tally.cuts] for tally in tallies}
    report.measured["seconds"] = round(time.monotonic() - began)
    if given.json:
        report.write(given.json)
    print(f"\n{len(report.broken) or 'No'} promises broken, in {time.monotonic() - began:.0f} s.")
    sys.exit(1 if report.broken else 0)


if __name__ == "__main__":
    main()
