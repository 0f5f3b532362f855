"""A disk with a volatile cache, ext4 on it, and the event store at work there: what experiments with disks share."""

from __future__ import annotations

import itertools
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from disk_writer import has_picture, picture
from fuse_file import disk_as_file
from volatile_disk import VolatileDisk

from edged.clock import SystemClock
from edged.domain.events import TrackEvent
from edged.errors import EdgedError
from edged.store.events import EventStore
from edged.store.reader import EventLog

_DISK_BYTES = 64 << 20
_WRITES_MAX, _LONGEST_WAIT_S = 60, 2.0  # from one cut to the next, whichever comes first
_STALLS_OF_S = 3.0  # before a cut

WRITER = Path(__file__).with_name("disk_writer.py")


@dataclass(frozen=True)
class Variant:
    """How the disk is mounted and the log written."""

    name: str = "as shipped: WAL, synchronous = FULL"
    mount_options: str = "defaults"
    synchronous: str = "FULL"


@dataclass(frozen=True)
class Cut:
    """What one cut left."""

    verdict: str  # "sound", or what is wrong
    shown: int  # events that a reader had been shown
    found: int  # events that were there afterwards
    lost_age_s: float  # how long before the cut the oldest event that is lost was put; 0 when none is
    unflushed: int  # writes in the disk's cache
    stall_s: float  # how long the machine let the writer or the disk stand still shortly before


class Heartbeat:
    """Finds out how late a thread that sleeps for 10 ms wakes up: by that this process, and its disk, stood still."""

    def __init__(self) -> None:
        self._late: deque[tuple[float, float]] = deque(maxlen=1000)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
        self._thread.start()

    def longest_since(self, instant: float) -> float:
        """The worst since a monotonic instant, in seconds."""
        return max((late_s for at, late_s in list(self._late) if at > instant), default=0.0)

    def close(self) -> None:
        self._stop.set()
        self._thread.join()

    def _beat(self) -> None:
        began_at = time.monotonic()
        while not self._stop.wait(0.01):
            now = time.monotonic()
            self._late.append((now, now - began_at))
            began_at = now


class Stage:
    """A disk in use: a writer and a reader at work on it."""

    def __init__(self, disk: VolatileDisk, folder: Path, heart: Heartbeat) -> None:
        self.disk = disk
        self.place = folder / "live"
        self.data = self.place / "data"
        self._folder = folder
        self._cuts = 0
        self._heart = heart

    def status(self) -> dict[str, Any]:
        """What the event store says of itself, as StoreStatus has it."""
        content = json.loads((self._folder / "put.status").read_text())
        assert isinstance(content, dict)
        return content

    def put_before(self, instant: float) -> int:
        """How many events the store had been given at a monotonic instant."""
        return len(self._until(instant, "put"))

    def found(self, data: Path | None = None) -> set[int]:
        """The events that a reader sees now."""
        records = EventLog(data or self.data).read()
        return {record.event.track_id for record in records if isinstance(record.event, TrackEvent)}

    def put_a_new_disk_in(self) -> None:
        """Mount over the old disk a sound one, with what reached the old one's medium."""
        left = self.disk.cut_power(random.Random(1), writes_max=1, within_s=0.0)
        image = self._folder / "new.img"
        image.write_bytes(left.image)
        subprocess.run(["mount", "-o", "loop", image, self.place], check=True)

    def cut(self, chance: random.Random, *, writes_max: int = _WRITES_MAX) -> Cut:
        """Cut the power at one of the next writes, or a little later; restart, and look."""
        left = self.disk.cut_power(chance, writes_max=writes_max, within_s=chance.random() * _LONGEST_WAIT_S)
        shown = self._until(left.cut_at, "shown")
        put = self._until(left.cut_at, "put")
        # A file of its own for each: a loop device that has not let go of the last one yet would be taken again by
        # mount, with what the kernel remembers of the old content.
        self._cuts += 1
        survivor = self._folder / f"survivor-{self._cuts}.img"
        survivor.write_bytes(left.image)
        try:
            verdict, found = self._restart(survivor, set(shown))
        finally:
            survivor.unlink()
        ages = [left.cut_at - at for number, at in put.items() if number not in found]
        beats = [at for at in (*put.values(), left.cut_at) if at > left.cut_at - _STALLS_OF_S]
        gaps = [late - early for early, late in itertools.pairwise(beats)]
        stall_s = max(*gaps, self._heart.longest_since(left.cut_at - _STALLS_OF_S), 0.0)
        return Cut(verdict, len(shown), len(found), max(ages, default=0.0), left.unflushed, stall_s)

    def _until(self, instant: float, name: str) -> dict[int, float]:
        """The events in a log of disk_writer.py until then, and when each came."""
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
        records = [record for record in EventLog(data).read() if isinstance(record.event, TrackEvent)]
    except (EdgedError, OSError, sqlite3.Error) as error:  # a file system that lost its barriers
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
def stage(
    variant: Variant = Variant(), *, events_a_second: float = 400.0, reader: bool = True, is_made: bool = True
) -> Iterator[Stage]:
    """A new disk with a writer on it, and a reader that follows; not `is_made`, the writer has not begun yet."""
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
        stack.callback(_unmount, folder / "live")
        data = folder / "live" / "data"
        _begin(stack, data, folder / "put", "--synchronous", variant.synchronous, "--rate", str(events_a_second))
        if reader:
            _begin(stack, data, folder / "shown", "--read")
        if is_made:
            _wait_for_lines(folder / "put")
        yield Stage(disk, folder, stack.enter_context(closing(Heartbeat())))


def _begin(stack: ExitStack, *arguments: str | Path) -> None:
    process = subprocess.Popen([sys.executable, WRITER, *arguments], stderr=subprocess.DEVNULL)
    stack.callback(process.wait)
    stack.callback(process.kill)


def _unmount(place: Path) -> None:
    """Unmount all that is mounted there, one over the other."""
    while place.is_mount():
        subprocess.run(["umount", place], check=True)


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


def what_is_missing() -> str | None:
    """Why this machine cannot make the experiment; None when it can."""
    if os.geteuid() != 0:
        return "it takes root, to mount"
    for device in ("/dev/fuse", "/dev/loop-control"):
        if not os.path.exists(device):  # noqa: PTH110 - one word
            return f"there is no {device} here"
    missing = [program for program in ("mke2fs", "mount", "umount") if shutil.which(program) is None]
    return f"there is no {missing[0]} here (Debian: e2fsprogs, mount)" if missing else None
