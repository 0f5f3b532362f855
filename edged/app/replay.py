"""A recording under several policies, beside one that looks at every frame."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from edged.app.camera import make_presence, make_scheduler, make_tracker
from edged.app.models import load_detector
from edged.app.outputs import class_of, open_spare_trace
from edged.app.sources import make_source
from edged.app.truth import TrueRun, TruthWatch, read_truth
from edged.clock import SystemClock
from edged.config.loader import check_tables
from edged.config.schema import Config
from edged.detect.detector import ModelDetector
from edged.domain.frame import Frame
from edged.errors import ConfigError, OutputNotWritable
from edged.health.board.vitals import BoardSensors
from edged.health.power_meter import Draw, PowerMeter
from edged.imaging.files import make_folder
from edged.pipeline.camera import FrameObserver
from edged.pipeline.rehearsal import Candidate, Rehearsal
from edged.pipeline.trace import SpareTrace
from edged.pipeline.worker import Worker
from edged.ports import EndOfStream, Source
from edged.scheduling.agreement import Agreement, Run, compare
from edged.tracking.score import Score
from edged.tracking.truth import Truth

log = logging.getLogger(__name__)

EVERY_FRAME = "every frame"

Progress = Callable[[int, int | None], object]
"""Told how many frames are done, and about how many there are."""

_POLICY = re.compile(r"adaptive|(adaptive|stride):[0-9]+")
_STOP_WITHIN_S = 5.0  # a sensor's driver may hang


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of one policy."""

    run: Run
    agreement: Agreement
    score: Score | None  # None: there is no ground truth
    true: Agreement | None  # with a detector and a tracker without a fault; None as well
    energy_j: float | None  # above the machine's rest; None: unknown


@dataclass(frozen=True, slots=True)
class Replay:
    """What came of all policies, every frame first."""

    policies: Sequence[Replayed]
    draw: Draw | None  # None: nobody tells what this machine draws
    incomplete: OutputNotWritable | None = None  # why a trace is not complete


def replay(
    source: str,
    policies: Sequence[str],
    *,
    model: str,
    threads: int,
    truth: Path | None = None,
    traces: Path | None = None,
    trace_label: str | None = None,
    progress: Progress = lambda done, expected: None,
    meter: PowerMeter | None = None,
) -> Replay:
    """Play a recording once and say what each policy made of it. Raises EdgedError.

    A policy is `adaptive`, `adaptive:N` or `stride:N`.

    truth        a gt.txt of MOTChallenge, for the tracks of `trace_label`
    trace_label  one of the model's labels; None: person, which a model need not have where no tracks are wanted
    traces       a folder for one MOTChallenge trace a policy
    meter        stands in for one that reads the machine's own sensors
    """
    configs = {name: _config(source, policy, model=model, threads=threads) for name, policy in _named(policies).items()}
    config, clock = configs[EVERY_FRAME], SystemClock()
    there = None if truth is None else read_truth(truth)
    meter = meter or PowerMeter(BoardSensors(clock=clock).watts, clock=clock)
    with ExitStack() as resources:
        detector = resources.enter_context(closing(load_detector(config)))
        if trace_label is not None:
            class_of(trace_label, detector.labels)
        label = trace_label or "person"
        watches = {} if there is None else {name: TruthWatch(there, label, detector.labels) for name in configs}
        true = None if there is None else _true_run(there, label, config)
        written = {} if traces is None else _open_traces(traces, configs, label, detector.labels, resources)
        candidates = [
            _candidate(name, one, detector, [by_name[name] for by_name in (watches, written) if by_name])
            for name, one in configs.items()
        ]
        rehearsal = Rehearsal(candidates, detector, clock=clock)
        frames = resources.enter_context(closing(make_source(config.camera[0], clock)))
        frames.open()
        with _metered(meter):
            length = _play(frames, rehearsal, true, progress)
        if there is not None and there.frames > length:  # known only now, after what may have been hours
            words = (
                "the truth goes to frame %d, the recording has %d: is it the truth of another? The rest is not scored"
            )
            log.warning(words, there.frames, length)
        runs, faultless, draw = rehearsal.finish(), None if true is None else true.finish(), meter.draw()
    return Replay(
        [
            Replayed(
                run,
                compare(runs[0], run),
                score=watches[run.policy].score() if watches else None,
                true=None if faultless is None else compare(faultless, _only(run, label)),
                energy_j=None if draw is None else draw.energy_j(run.busy_s),
            )
            for run in runs
        ],
        draw,
        next((trace.error for trace in written.values() if trace.error is not None), None),
    )


def _true_run(truth: Truth, label: str, config: Config) -> TrueRun:
    return TrueRun(truth, make_presence("truth", [label], config), lost_after_s=config.tracker.lost_after_s)


def _only(run: Run, label: str) -> Run:
    """The truth knows of no other objects."""
    return replace(run, events=[event for event in run.events if event.label == label])


def _named(policies: Sequence[str]) -> Mapping[str, str]:
    return {EVERY_FRAME: "stride:1", **{policy: policy for policy in policies}}


def _open_traces(
    folder: Path, names: Iterable[str], label: str, labels: Sequence[str], resources: ExitStack
) -> dict[str, SpareTrace]:
    """Open a trace for each policy. They are closed with `resources`. Raises OutputNotWritable."""
    make_folder(folder)
    files = {name: folder / f"{name.replace(' ', '-').replace(':', '-')}.txt" for name in names}
    return {
        name: resources.enter_context(open_spare_trace(file, label=label, labels=labels))
        for name, file in files.items()
    }


def _play(source: Source, rehearsal: Rehearsal, true: TrueRun | None, progress: Progress) -> int:
    """Take every frame of an open source through all policies; return how many there were, damaged ones counted."""
    length = 0
    for done, frame in enumerate(_until_its_end(source), 1):
        rehearsal.step(frame)
        if true is not None:
            true.show(frame)
        frame.release()
        length = frame.seq + 1
        progress(done, source.frame_count())
    return length


@contextmanager
def _metered(meter: PowerMeter) -> Iterator[None]:
    if not meter.rest():
        yield
        return
    worker = Worker("power", meter.work, on_end=lambda: None)
    worker.start()
    try:
        yield
    finally:
        worker.ask_to_stop()
        worker.join(_STOP_WITHIN_S)


def _until_its_end(source: Source) -> Iterator[Frame]:
    while True:
        try:
            frame = source.read(timeout_s=1.0)
        except EndOfStream:
            return
        if frame is not None:
            yield frame


def _config(source: str, policy: str, *, model: str, threads: int) -> Config:
    if not _POLICY.fullmatch(policy):
        raise ConfigError(
            f"There is no policy {policy!r}.",
            hint="Write adaptive, adaptive:N to look at no more than one frame of N, or stride:N for every N-th frame.",
        )
    kind, _, every = policy.partition(":")
    tables = {
        "model": {"path": model, "threads": threads},
        "scheduler": {"policy": kind, "every": int(every or 1)},
        "camera": [{"name": "replay", "source": source}],
    }
    config = check_tables(tables, name="the command line", folder=Path.cwd())
    if config.camera[0].is_live:
        raise ConfigError(f"{source} is a camera.", hint="Name a recording: a camera never shows the same twice.")
    return config


def _candidate(name: str, config: Config, detector: ModelDetector, observers: Sequence[FrameObserver]) -> Candidate:
    return Candidate(
        name=name,
        scheduler=make_scheduler(config.camera[0], config),
        tracker=make_tracker(config, detector),
        rules=[make_presence(name, detector.labels, config)],
        observers=observers,
    )
