"""A recording under several policies, beside one that looks at every frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from edged.app.camera import make_scheduler, make_tracker
from edged.app.models import load_detector
from edged.app.outputs import open_trace
from edged.app.sources import make_source
from edged.clock import SystemClock
from edged.config.loader import check_tables
from edged.config.schema import Config
from edged.detect.detector import ModelDetector
from edged.domain.frame import Frame
from edged.errors import ConfigError
from edged.imaging.files import make_folder
from edged.pipeline.camera import FrameObserver
from edged.pipeline.rehearsal import Candidate, Rehearsal
from edged.ports import EndOfStream, Source
from edged.rules.presence import Presence
from edged.scheduling.agreement import Agreement, Run, compare

EVERY_FRAME = "every frame"


def replay(
    source: str,
    policies: Sequence[str],
    *,
    model: str,
    threads: int,
    traces: Path | None = None,
    trace_label: str = "person",
    progress: Callable[[int, int | None], object] = lambda done, expected: None,
) -> list[tuple[Run, Agreement]]:
    """Play a recording once and say what each policy made of it, every frame first. Raises EdgedError.

    A policy is `adaptive` or `stride:N`. `traces` is a folder for one MOTChallenge trace a policy. `progress` is told
    of the frames done and expected.
    """
    configs = {EVERY_FRAME: _config(source, "stride:1", model=model, threads=threads)}
    configs |= {name: _config(source, name, model=model, threads=threads) for name in policies}
    config, clock = configs[EVERY_FRAME], SystemClock()
    with ExitStack() as resources:
        detector = resources.enter_context(closing(load_detector(config)))
        candidates = []
        for name, one in configs.items():
            observers = []
            if traces is not None:
                make_folder(traces)
                trace = traces / f"{name.replace(' ', '-').replace(':', '-')}.txt"
                observers = [resources.enter_context(open_trace(trace, label=trace_label, labels=detector.labels))]
            candidates.append(_candidate(name, one, detector, observers))
        rehearsal = Rehearsal(candidates, detector, clock=clock)
        frames = resources.enter_context(closing(make_source(config.camera[0], clock)))
        frames.open()
        for done, frame in enumerate(_until_its_end(frames), 1):
            rehearsal.step(frame)
            frame.release()
            progress(done, frames.frame_count())
        every, *runs = rehearsal.finish()
    return [(run, compare(every, run)) for run in (every, *runs)]


def _until_its_end(source: Source) -> Iterator[Frame]:
    while True:
        try:
            frame = source.read(timeout_s=1.0)
        except EndOfStream:
            return
        if frame is not None:
            yield frame


def _config(source: str, policy: str, *, model: str, threads: int) -> Config:
    kind, _, every = policy.partition(":")
    if kind not in ("adaptive", "stride") or (every and not every.isdecimal()) or (kind == "stride" and not every):
        raise ConfigError(f"There is no policy {policy!r}.", hint="Write adaptive, or stride:N for every N-th frame.")
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
    section, presence = config.camera[0], config.presence
    return Candidate(
        name=name,
        scheduler=make_scheduler(section, config),
        tracker=make_tracker(config, detector),
        rules=[
            Presence(name, detector.labels, seen_for_s=presence.seen_for_s, rejoin_within_s=presence.rejoin_within_s)
        ],
        observers=observers,
    )
