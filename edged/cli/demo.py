"""`edged demo`: the main job on one source, without a configuration file."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edged.cli.model_options import ModelOption, ThreadsOption
from edged.cli.signals import StopSignals
from edged.cli.tracing import TraceLabelOption, TraceOption, label_for
from edged.cli.where import cache_folder
from edged.domain.addresses import without_secrets
from edged.domain.events import ENDS, Event, EventKind, EventRecord, Point, TrackEvent
from edged.domain.words import counted
from edged.errors import ConfigError, SourceNotFound

if TYPE_CHECKING:
    from rich.table import Table

    from edged.domain.frame import Frame
    from edged.domain.health import DaemonStatus
    from edged.domain.scheduling import Decision
    from edged.domain.tracks import Tracks
    from edged.pipeline.camera import FrameObserver

_CAMERA = "demo"


def demo(
    source: Annotated[
        str | None,
        typer.Option(
            help="A video file, a folder of images, or /dev/video0. Default: the clip that scripts/demo fetched.",
            metavar="SOURCE",
        ),
    ] = None,
    model: ModelOption = "builtin",
    data: Annotated[Path, typer.Option(help="Where the events and pictures go.", metavar="DIR")] = Path("demo-output"),
    every: Annotated[int, typer.Option(help="Detect every N-th frame and predict in between.", metavar="N", min=1)] = 1,
    threads: ThreadsOption = 1,
    trace: TraceOption = None,
    trace_label: TraceLabelOption = None,
    pictures: Annotated[bool, typer.Option(help="Make an annotated video and a contact sheet.")] = True,
) -> None:
    """Show what edged sees: print the events, and make an annotated video and a contact sheet.

    Example: edged demo --source street.mp4 --model ./picodet-s --every 3
    """
    from edged import app
    from edged.cli.console import fits, print_whole, stdout_console
    from edged.cli.running import log_to_stderr, run_until_done
    from edged.imaging.recording import recording_files

    label = label_for(trace, trace_label)
    log_to_stderr("warning")
    console = stdout_console()
    source = _fetched_clip() if source is None else source
    if pictures and any(Path(source).resolve() == path.resolve() for path in recording_files(data)):
        raise ConfigError(f"{source} is what the demo is about to write.", hint="Name another folder: --data DIR.")
    config = app.demo_config(camera=_CAMERA, source=source, model=model, data_dir=data, every=every, threads=threads)
    app.try_devices(config)
    beginning = _Beginning()
    with StopSignals() as signals, ExitStack() as resources:
        detector = app.load_detector(config)
        observers: list[FrameObserver] = [beginning]
        if trace is not None:
            observers.append(resources.enter_context(app.open_trace(trace, label=label, labels=detector.labels)))
        if pictures:
            observers.append(resources.enter_context(app.open_recording(data, detector.labels)))
        console.print(f"Watching {without_secrets(source)} with the model {detector.spec.name} ...", soft_wrap=True)
        daemon = app.build(config, detector=detector, observers={_CAMERA: observers})
        status = run_until_done(daemon, signals)
    records = [record for record in app.EventLog(data).read() if record.run_id == daemon.run_id]
    records.sort(key=lambda record: record.event.at)
    table = _table(records, began_at=beginning.at)
    if not fits(table, console):  # long paths give way
        table = _table(records, began_at=beginning.at, with_pictures=False)
    print_whole(table, console)
    console.print(_summary(status, records))
    for name, path in _where_to_look(data, trace, pictures=pictures):
        console.print(f"  {name:<18}{path}", soft_wrap=True)


def _fetched_clip() -> str:
    """The clip that scripts/demo fetches. Raises SourceNotFound when it did not yet."""
    clip = cache_folder() / "vtest.avi"
    if not clip.is_file():
        raise SourceNotFound(
            "Which video? No source was named, and no clip was fetched yet.",
            hint="Name one with --source FILE (or /dev/video0); ./scripts/demo in the repository fetches a clip.",
        )
    return str(clip)


class _Beginning:
    """A frame observer that remembers when the recording began."""

    def __init__(self) -> None:
        self.at = 0.0
        self._begun = False

    def __call__(self, frame: Frame, tracks: Tracks, decision: Decision) -> None:
        if not self._begun:
            self.at, self._begun = frame.captured_at, True


def _table(records: list[EventRecord], *, began_at: float, with_pictures: bool = True) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("at", "event", "object", "sure", "in view", "from", "to", *(["picture"] if with_pictures else [])):
        table.add_column(name, justify="right" if name in ("at", "sure", "in view") else "left", no_wrap=True)
    for record in records:
        event = record.event
        cells = (f"{max(event.at - began_at, 0):.1f} s", event.kind.value, *_what(event), record.snapshot or "")
        table.add_row(*cells[: len(table.columns)])
    return table


def _what(event: Event) -> tuple[str, str, str, str, str]:
    if not isinstance(event, TrackEvent):
        return event.reason, "", f"{event.duration_s:.1f} s" if event.kind in ENDS else "", "", ""
    return (
        f"{event.label} {event.track_id}",
        f"{event.confidence:.0%}",
        f"{event.duration_s:.1f} s",
        _place(event.entry_xy),
        _place(event.exit_xy),
    )


def _place(xy: Point | None) -> str:
    return "" if xy is None else f"{xy[0]:.0f}, {xy[1]:.0f}"


def _summary(status: DaemonStatus, records: list[EventRecord]) -> str:
    camera = status.cameras[0]
    events = [record.event for record in records if isinstance(record.event, TrackEvent)]
    seen = Counter(event.label for event in events if event.kind is EventKind.APPEARED)
    objects = ", ".join(f"{count} × {label}" for label, count in seen.most_common()) or "nothing"
    rate = camera.frames / status.uptime_s if status.uptime_s else 0.0
    inference = "" if status.inference_p50_ms is None else f", {status.inference_p50_ms:.1f} ms each"
    return (
        f"Appeared: {objects}. {counted(camera.frames, 'frame')} in {status.uptime_s:.1f} s ({rate:.0f} a second), "
        f"{camera.detected} of them looked at by the detector{inference}."
    )


def _where_to_look(data: Path, trace: Path | None, *, pictures: bool) -> list[tuple[str, object]]:
    from edged.imaging.recording import recording_files

    program = "edged" if shutil.which("edged") else sys.argv[0]
    made: list[tuple[str, Path | None]] = [("a picture of each", data / "snapshots"), ("trace", trace)]
    if pictures:  # those of an earlier demo show something else
        made[:0] = zip(("annotated video", "contact sheet"), recording_files(data), strict=True)
    files = [(name, path) for name, path in made if path is not None and path.exists()]
    return [("the events again", shlex.join([program, "events", "--data", str(data)])), *files]
