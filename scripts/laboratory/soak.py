"""A compressed week: the whole daemon, its threads and its database, under a clock that a synthetic camera drives.

    scripts/lab soak [--frames 200000] [--json FILE]

What is real: supervisor, feeder, mailbox, dispatcher, pipeline, tracker, rules, event store with retention, status
file. What is not: the camera (week.py), the clock, and the detector, which finds what the scene says is there.
10,281,600 frames are a week at 17 frames a second. Ctrl-C or SIGTERM ends it early, and what was seen till then is
judged. The exit code is 1 when a promise is broken.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import logging
import signal
import sqlite3
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import psutil
from experiments.watched import without_huge_pages
from report import Report, Row
from week import FPS, DrivenClock, KnowingDetector, WeekSource, visits

from edged import app
from edged.clock import Clock
from edged.config.loader import check_tables
from edged.config.schema import CameraSection, Config
from edged.detect.detector import ModelDetector
from edged.domain.health import DaemonStatus
from edged.ports import Source

_SAMPLES = 200
_WARM_UP = 0.2  # of the run; by then retention has deleted something
_RETENTION_SHARE = 0.1  # of the run is kept: what is older is deleted all the time
_LOST_EVERY = 61_200  # frames: an hour
_PRUNE_EVERY_S = 600.0  # as the store does it
_GROWTH_MAX_BYTES = 1_000_000
_LIBC = ctypes.CDLL(None)


@dataclass(frozen=True, slots=True)
class Sample:
    """The process and its files at one moment."""

    frames: int
    anonymous_bytes: int  # memory that the process has written to, and no file's
    threads: int
    open_files: int
    objects: int  # that the garbage collector knows: whatever a map or a list holds too much of is among them
    database_bytes: int  # with its log
    snapshot_bytes: int
    tracks: int
    waiting: int
    span_s: float  # from the oldest event to the newest


class Sampler:
    """Listens to the daemon's status, and takes a sample every so many frames."""

    def __init__(self, folder: Path, *, every: int) -> None:
        self.samples: list[Sample] = []
        self._folder = folder
        self._every = every
        self._next = every
        self._process = psutil.Process()

    def __call__(self, status: DaemonStatus) -> None:
        camera = status.cameras[0]
        if status.state != "running" or camera.frames < self._next:
            return
        self._next = camera.frames + self._every
        gc.collect()
        _LIBC.malloc_trim(0)  # else one sample counts free memory that the allocator has given back in the next
        database = [path for path in self._folder.glob("events.db*") if not path.name.endswith("-shm")]
        pictures = self._folder.glob("snapshots/*/*")
        self.samples.append(
            Sample(
                frames=camera.frames,
                anonymous_bytes=_anonymous_bytes(),
                threads=threading.active_count(),
                open_files=self._process.num_fds(),
                objects=len(gc.get_objects()),
                database_bytes=sum(path.stat().st_size for path in database),
                snapshot_bytes=sum(_size(path) for path in pictures),
                tracks=camera.tracks,
                waiting=status.store.waiting,
                span_s=self._span_s(),
            )
        )

    def _span_s(self) -> float:
        with closing(sqlite3.connect(f"file:{self._folder}/events.db?mode=ro", uri=True)) as connection:
            span = connection.execute("SELECT max(wall_at) - min(wall_at) FROM events").fetchone()[0]
        return float(span or 0.0)


def soak(folder: Path, frames: int) -> tuple[DaemonStatus, Sequence[Sample]]:
    """Run the daemon over so many frames."""
    clock = DrivenClock()
    config = _config(folder, frames)

    def make_source(section: CameraSection, clock: Clock) -> Source:
        return WeekSource(cast(DrivenClock, clock), frames=frames, lost_every=_LOST_EVERY)

    detector = cast(ModelDetector, KnowingDetector())
    daemon = app.build(config, clock=clock, detector=detector, make_source=make_source)
    sampler = Sampler(folder, every=max(1, frames // _SAMPLES))
    daemon.listen(sampler)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: daemon.request_stop())
    return daemon.run(), sampler.samples


def _config(folder: Path, frames: int) -> Config:
    kept_days = frames / FPS * _RETENTION_SHARE / 86_400
    tables = {
        "data_dir": str(folder),
        "store": {"retention_days": kept_days},
        "log": {"level": "error"},
        "camera": [{"name": "week", "source": "rtsp://week.invalid/live"}],
    }
    return check_tables(tables, name="the soak test", folder=folder)


def judge(status: DaemonStatus, samples: Sequence[Sample], kept_s: float, report: Report) -> None:
    """Say what is promised, and whether it was kept."""
    camera, store = status.cameras[0], status.store
    frames = camera.frames
    settled = samples[int(len(samples) * _WARM_UP) :]
    skipped = f"{frames}, {camera.skipped} skipped, {camera.detected} detected"
    report.add(Row("frames through the pipeline", skipped, "none skipped", camera.skipped == 0))
    outages = (frames - 1) // _LOST_EVERY
    due = 2 * visits(frames) + 2 * outages
    found = f"{store.written}, {store.dropped} lost"
    report.add(Row("events written", found, f"{due}", abs(store.written - due) <= 4 and store.dropped == 0))
    growth = _growth(settled, lambda sample: sample.anonymous_bytes)
    memory = f"{growth / 1e6:+.2f} MB, {settled[0].anonymous_bytes / 1e6:.1f} MB at first"
    is_flat = growth <= _GROWTH_MAX_BYTES
    report.add(Row("memory, after the warm-up", memory, f"at most {_GROWTH_MAX_BYTES / 1e6:+.0f} MB", is_flat))
    objects = _growth(settled, lambda sample: sample.objects)
    report.add(Row("objects in memory", f"{objects:+.0f} of {settled[0].objects}", "at most +500", objects <= 500))
    first, last = _halves(settled, lambda sample: sample.threads)
    found = f"{first} at most in the first half, {last} in the second"
    report.add(Row("threads", found, "no more in the second", last <= first))
    first, last = _halves(settled, lambda sample: sample.open_files, extreme=min)  # one that starts a program has pipes
    found = f"{first} at least in the first half, {last} in the second"
    report.add(Row("open files", found, "no more in the second", last <= first))
    span_s = max(sample.span_s for sample in settled)
    span = f"{span_s / 3600:.2f} h at most"
    limit_s = kept_s + 2 * _PRUNE_EVERY_S
    report.add(Row("events kept", span, f"at most {limit_s / 3600:.2f} h", span_s <= limit_s))
    for name in ("database_bytes", "snapshot_bytes"):
        first, last = _halves(settled, lambda sample, name=name: getattr(sample, name))
        text = f"{first / 1e6:.2f} MB in the first half, {last / 1e6:.2f} MB in the second"
        report.add(
            Row(name.replace("_bytes", ""), text, "no growth by more than a tenth", last <= 1.1 * first + 65_536)
        )
    waiting = max(sample.waiting for sample in samples)
    report.add(Row("events that waited", f"{waiting} at most", "fewer than 1000", waiting < 1000))


def _growth(samples: Sequence[Sample], value: Callable[[Sample], float]) -> float:
    """From the first fifth to the last: medians, since an allocator breathes."""
    fifth = max(1, len(samples) // 5)
    first, last = samples[:fifth], samples[-fifth:]
    return statistics.median(map(value, last)) - statistics.median(map(value, first))


def _halves(
    samples: Sequence[Sample], value: Callable[[Sample], int], *, extreme: Callable[[Iterable[int]], int] = max
) -> tuple[int, int]:
    """The greatest, or the least, of the first half, and of the second."""
    middle = len(samples) // 2
    return extreme(map(value, samples[:middle])), extreme(map(value, samples[middle:]))


def _anonymous_bytes() -> int:
    """Pages of programs and libraries do not count: they are this process's alone or not as other programs come and go.

    The interpreter's are 5 MB, which looked like a step of the allocator. See smaps_rollup in proc(5).
    """
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith("Anonymous:")).split()[1])


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # retention was faster
        return 0


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--frames", type=int, default=200_000, help="how many (%(default)s)")
    options.add_argument("--json", type=Path)
    given = options.parse_args()
    logging.basicConfig(level=logging.ERROR, force=True)
    without_huge_pages()
    began, cpu, report = time.monotonic(), time.process_time(), Report()
    with tempfile.TemporaryDirectory(prefix="edged-soak-") as folder:
        status, samples = soak(Path(folder), given.frames)
    took: dict[str, Any] = {"wall_s": time.monotonic() - began, "cpu_s": time.process_time() - cpu}
    frames = status.cameras[0].frames
    days = frames / FPS / 86_400
    report.section(f"{frames} frames, {days:.2f} days at {FPS:g} frames a second, in {took['wall_s']:.0f} s")
    judge(status, samples, given.frames / FPS * _RETENTION_SHARE, report)
    report.measured = {**took, "frames": frames, "days": days, "samples": [asdict(sample) for sample in samples]}
    report.end(given.json)


if __name__ == "__main__":
    main()
