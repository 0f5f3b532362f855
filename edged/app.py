"""Builds the daemon from a configuration: the only module that names concrete classes.

Parts are started in the order in which they are made here, and stopped in the reverse order.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import partial
from pathlib import Path

from edged import __version__
from edged.backends.ncnn import NcnnBackend
from edged.capture.cameras import FoundCamera, find_cameras, takes_pictures
from edged.capture.devices.finder import CameraFinder
from edged.capture.devices.hotplug import HotplugWatch
from edged.capture.open import open_source
from edged.capture.v4l2.describe import suited_mode
from edged.capture.v4l2.mode import WantedMode
from edged.clock import Clock, SystemClock
from edged.config.loader import check_tables
from edged.config.schema import CameraSection, Config
from edged.detect.catalogue import find_model, shipped_models
from edged.detect.detector import ModelDetector
from edged.detect.load import load_spec
from edged.detect.selfcheck import ModelReport, load_model
from edged.detect.selfcheck import verify_model as check_and_report
from edged.detect.spec import ModelSpec
from edged.domain.addresses import without_secrets
from edged.domain.frame import BgrImage
from edged.domain.labels import class_groups
from edged.errors import ConfigError, StoreError, StoreFull
from edged.health.status_file import NAME as STATUS_NAME
from edged.health.status_file import StatusFile
from edged.imaging.files import make_folder
from edged.imaging.jpeg import crop_with_margin, encode_jpeg
from edged.imaging.recording import Recording
from edged.pipeline.best_shots import BestShots
from edged.pipeline.camera import CameraPipeline, FrameObserver
from edged.pipeline.daemon import Daemon
from edged.pipeline.dispatcher import Dispatcher, Lane
from edged.pipeline.feeder import Feeder
from edged.pipeline.latency import Latency
from edged.pipeline.mailbox import Mailbox
from edged.pipeline.one_picture import take_picture
from edged.pipeline.picture_watch import PictureWatch
from edged.pipeline.reporter import CameraParts, Reporter
from edged.pipeline.supervisor import Supervisor
from edged.pipeline.trace import TraceWriter
from edged.ports import Backend, EventSink, Source, Tracker
from edged.rules.presence import Presence
from edged.scheduling.stride import Stride
from edged.store.events import EventStore
from edged.store.reader import EventLog
from edged.store.retention import Retention
from edged.tracking.bytetrack import ByteTrack

log = logging.getLogger(__name__)

_STUCK_STREAM_S = 60.0  # an encoder may repeat a still scene bit for bit until its next key picture

MakeSource = Callable[[CameraSection, Clock], Source]
MakeBackend = Callable[[ModelSpec], Backend]
Observers = Mapping[str, Sequence[FrameObserver]]
"""By the camera's name, who is told of every frame."""


def build(
    config: Config,
    *,
    clock: Clock | None = None,
    detector: ModelDetector | None = None,
    observers: Observers | None = None,
    make_source: MakeSource | None = None,
) -> Daemon:
    """Put the daemon together: load and try the model, lock and open the event log. Starts no thread.

    `detector` is one that load_detector() has loaded already; the daemon closes it at its end. `make_source` stands in
    for the real one where a test or a benchmark wants to see through it. Raises EdgedError.
    """
    clock = clock or SystemClock()
    with ExitStack() as resources:
        detector = detector or load_detector(config)
        resources.callback(detector.close)
        check_labels(config, detector.labels)
        store = _open_store(config, clock)
        resources.callback(store.close)
        arrival = threading.Condition()
        latency = Latency()
        cameras = [
            _camera(
                section,
                config=config,
                clock=clock,
                make_source=make_source,
                resources=resources,
                detector=detector,
                store=store,
                arrival=arrival,
                latency=latency,
                observers=(observers or {}).get(section.name, ()),
            )
            for section in config.camera
        ]
        lanes = [Lane(parts.mailbox, parts.pipeline) for parts in cameras]
        supervisor = Supervisor(
            [
                {"store": store.run},
                {"detect": Dispatcher(lanes, arrival, clock=clock).run},
                {f"capture-{parts.feeder.camera}": parts.feeder.run for parts in cameras},
            ],
            clock=clock,
        )
        reporter = Reporter(
            clock=clock,
            run_id=store.run_id,
            model=detector.spec.name,
            backend=config.model.backend,
            cameras=cameras,
            latency=latency,
            store=lambda: store.status,
        )
        return Daemon(
            run_id=store.run_id,
            supervisor=supervisor,
            reporter=reporter,
            listeners=[_status_file(config.status_dir)],
            resources=resources.pop_all(),
        )


def load_detector(config: Config, make_backend: MakeBackend | None = None) -> ModelDetector:
    """Load the configured model into its engine and try it. Raises ModelError.

    `make_backend` stands in for the real engine where a test or a benchmark wants to see through it.
    """
    return load_model(
        find_model(config.model.path),
        make_backend or partial(make_ncnn_backend, threads=config.model.threads),
        confidence=config.model.confidence,
        nms_iou=config.model.nms_iou,
    )


def model_labels(config: Config) -> Sequence[str]:
    """The labels of the configured model, which is not loaded. Raises ModelError."""
    return load_spec(find_model(config.model.path)).labels


def check_labels(config: Config, labels: Sequence[str]) -> None:
    """Refuse a label of interest that the model does not know: it would wait for ever. Raises ConfigError."""
    wanted = [("presence.labels", config.presence.labels)]
    wanted += [(f"camera[{index}].labels", camera.labels or ()) for index, camera in enumerate(config.camera)]
    unknown = [f"{place}: {label!r}" for place, named in wanted for label in named if label not in labels]
    if unknown:
        raise ConfigError(
            f"The model does not know these labels: {'; '.join(unknown)}.",
            hint=f"It knows: {', '.join(labels)}.",
        )


def make_ncnn_backend(spec: ModelSpec, *, threads: int = 1) -> Backend:
    """Load a model into ncnn. Raises ModelError."""
    engine = spec.engine("ncnn")
    return NcnnBackend(
        engine.files["param"],
        engine.files["bin"],
        input_name=engine.input_name,
        output_names=engine.output_names,
        input_shape=spec.input_shape,
        threads=threads,
    )


def _make_source(section: CameraSection, clock: Clock, *, find: CameraFinder | None = None) -> Source:
    return open_source(
        section.source,
        clock=clock,
        in_real_time=section.play == "in_real_time",
        image_interval_s=section.image_interval_s,
        wanted=WantedMode(section.format, section.width_px, section.height_px, section.fps),
        controls=section.controls,
        find=find,
        stall_timeout_s=section.frame_timeout_s,
    )


def _status_file(folder: Path) -> StatusFile:
    with suppress(OSError):  # the first write tells
        folder.mkdir(parents=True, exist_ok=True)
    return StatusFile(folder / STATUS_NAME)


def _open_store(config: Config, clock: Clock) -> EventStore:
    store = EventStore(
        config.data_dir,
        clock=clock,
        version=__version__,
        retention=Retention(
            clock,
            keep_days=config.store.retention_days,
            snapshots_max_bytes=config.store.max_snapshots_mb * 1_000_000,
        ),
    )
    try:
        store.open()
    except StoreFull as error:
        # A full disk is a bad day, not the end: detection goes on, and the store tries again by itself.
        log.error("%s", error)
    except StoreError:  # nobody mends a wrong user or a read-only disk while edged watches and forgets
        store.close()
        raise
    return store


def _tracker(config: Config, detector: ModelDetector) -> Tracker:
    own, chosen = detector.spec.thresholds, config.tracker
    low = own.low_confidence if chosen.low_confidence is None else chosen.low_confidence
    high = own.high_confidence if chosen.high_confidence is None else chosen.high_confidence
    new = own.new_track_confidence if chosen.new_track_confidence is None else chosen.new_track_confidence
    return ByteTrack(
        low_confidence=min(low, high),
        high_confidence=high,
        new_track_confidence=new,
        match_cost_max=chosen.match_cost_max,
        lost_after_s=chosen.lost_after_s,
        class_group=class_groups(detector.labels) if chosen.class_aware else None,
    )


def _camera(
    section: CameraSection,
    *,
    config: Config,
    clock: Clock,
    make_source: MakeSource | None,
    resources: ExitStack,
    detector: ModelDetector,
    store: EventSink,
    arrival: threading.Condition,
    latency: Latency,
    observers: Sequence[FrameObserver],
) -> CameraParts:
    lossless = not section.is_live and section.play == "as_fast_as_possible"
    mailbox = Mailbox(arrival, lossless=lossless)
    finder = watch = None
    if section.device is not None:
        finder = CameraFinder(section.device, captures=takes_pictures)
        watch = HotplugWatch(section.device, clock=clock)
        resources.callback(watch.close)
    feeder = Feeder(
        camera=section.name,
        source=make_source(section, clock) if make_source else _make_source(section, clock, find=finder),
        mailbox=mailbox,
        events=store,
        clock=clock,
        frame_timeout_s=section.frame_timeout_s,
        reopen=section.is_live,
        wait_for_device=watch.wait if watch else None,
        reset=finder.reset if finder else None,
    )
    pipeline = CameraPipeline(
        camera=section.name,
        scheduler=Stride(section.every or config.scheduler.every),
        detector=detector,
        tracker=_tracker(config, detector),
        rules=[
            Presence(
                section.name,
                detector.labels,
                seen_for_s=config.presence.seen_for_s,
                rejoin_within_s=config.presence.rejoin_within_s,
                wanted=section.labels if section.labels is not None else config.presence.labels,
            )
        ],
        best_shots=BestShots(crop=crop_with_margin, encode=partial(encode_jpeg, quality=config.store.snapshot_quality))
        if config.store.snapshots
        else None,
        events=store,
        clock=clock,
        latency=latency,
        observers=observers,
        silent_after_s=feeder.silent_after_s if section.is_live else None,
        picture_watch=PictureWatch(section.name, stuck_after_s=10.0 if section.is_device else _STUCK_STREAM_S)
        if section.is_live
        else None,
    )
    return CameraParts(feeder, mailbox, pipeline)


def demo_config(*, camera: str, source: str, model: str, data_dir: Path, every: int, threads: int) -> Config:
    """Make the configuration of `edged demo`: one source, all defaults. Raises ConfigError."""
    tables = {
        "data_dir": str(data_dir),
        "model": {"path": model, "threads": threads},
        "scheduler": {"every": every},
        "camera": [{"name": camera, "source": source}],
    }
    return check_tables(tables, name="the command line", folder=Path.cwd())


def cameras() -> list[FoundCamera]:
    """The video devices of this machine, each with what it offers or why it does not say."""
    return find_cameras()


def model_spec(model: str) -> ModelSpec:
    """What edged knows of a model, by folder or name, without loading it. Raises ModelError."""
    return load_spec(find_model(model))


def mode_for(camera: FoundCamera, spec: ModelSpec) -> WantedMode | None:
    """The mode of a camera that suits a model best; None when edged can read none, or none is known."""
    if camera.offers is None:
        return None
    return suited_mode(camera.offers, width_px=spec.input.width_px, height_px=spec.input.height_px)


def camera_at(source: str) -> CameraSection:
    """A camera with all defaults, for commands that are given a source by itself. Raises ConfigError."""
    tables = {"camera": [{"name": "camera", "source": source}]}
    return check_tables(tables, name="the command line", folder=Path.cwd()).camera[0]


def picture_of(section: CameraSection) -> BgrImage:
    """Open a camera and take one picture. Raises SourceError."""
    clock = SystemClock()
    with closing(_make_source(section, clock)) as source:
        source.open()
        return take_picture(
            source,
            name=without_secrets(section.source),
            clock=clock,
            timeout_s=section.frame_timeout_s,
            settle=section.is_device,
        )


def try_devices(config: Config) -> None:
    """Open every camera once, for commands that would rather fail than wait for one. Raises SourceError."""
    for section in config.camera:
        if section.is_live:
            with closing(_make_source(section, SystemClock())) as source:
                source.open()


def event_log(data_dir: Path) -> EventLog:
    """Open the event log of a data folder for reading."""
    return EventLog(data_dir)


@contextmanager
def open_trace(path: Path, *, label: str, labels: Sequence[str]) -> Iterator[FrameObserver]:
    """Open a frame observer that writes the tracks of `label`, one of the model's `labels`, as a MOTChallenge trace.

    Raises ConfigError and OutputNotWritable.
    """
    if label not in labels:
        raise ConfigError(f"The model does not know the label {label!r}.", hint=f"It knows: {', '.join(labels)}.")
    with closing(TraceWriter(path, class_ids=[labels.index(label)])) as trace:
        yield trace


@contextmanager
def open_recording(folder: Path, labels: Sequence[str]) -> Iterator[FrameObserver]:
    """Open a frame observer that makes an annotated video and a contact sheet in `folder`. Raises OutputNotWritable."""
    make_folder(folder)
    with closing(Recording(folder, labels)) as recording:
        yield recording


def list_models() -> dict[str, ModelSpec]:
    """The models that came with edged, by the names that a configuration can use. Raises ModelError."""
    return {name: load_spec(folder) for name, folder in shipped_models().items()}


def verify_model(model: str, image_path: Path | None = None) -> ModelReport:
    """Load a model by folder or name and try it, on a picture too where one is named.

    Raises ModelError and SourceError.
    """
    spec = load_spec(find_model(model))
    image = None if image_path is None else _read_picture(image_path)
    with closing(make_ncnn_backend(spec)) as backend:
        return check_and_report(spec, backend, image)


def _read_picture(path: Path) -> BgrImage:
    with closing(open_source(str(path), clock=SystemClock(), in_real_time=False)) as source:
        source.open()
        frame = source.read(timeout_s=1.0)
        assert frame is not None  # a recording never times out
        return frame.image()
