"""A changed configuration, put in force while the daemon runs.

Cameras whose part of it is unchanged go on as if nothing had happened, with their tracks; the others are replaced, and
what was in view of them leaves as `ended`. A configuration that cannot be used is refused as a whole.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from edged.app.heat import heat_curve
from edged.app.models import check_labels
from edged.clock import Clock
from edged.config.schema import CameraSection, Config
from edged.detect.detector import ModelDetector
from edged.domain.pulse import Pulse
from edged.domain.words import counted
from edged.errors import ConfigError, EdgedError
from edged.health.monitor import ThermalMonitor
from edged.pipeline.dispatcher import Dispatcher, Lane
from edged.pipeline.reporter import CameraParts, Reporter
from edged.pipeline.supervisor import Supervisor
from edged.ports import Notifier
from edged.store.retention import Retention

log = logging.getLogger(__name__)

_CAN_CHANGE = frozenset({"model", "tracker", "scheduler", "presence", "store", "thermal", "log", "camera"})
LET_GO_WITHIN_S = 12.0
"""For cameras, which have 10 s of it, and the detector: the last ping is up to 16 s old then, and systemd waits 30."""

ReadConfig = Callable[[], Config]
LoadDetector = Callable[[Config], ModelDetector]
BuildCamera = Callable[[CameraSection, Config, ModelDetector, ExitStack], CameraParts]


@dataclass(frozen=True, slots=True, eq=False)
class CameraAtWork:
    """A camera, what it was made of, and what is to be closed after it."""

    parts: CameraParts
    lane: Lane
    recipe: Config
    resources: ExitStack

    @property
    def worker(self) -> str:
        """The name of its thread."""
        return f"capture-{self.parts.feeder.camera}"


@dataclass(frozen=True, slots=True)
class Setup:
    """All that a configuration decides of a running daemon."""

    config: Config
    detector: ModelDetector
    cameras: Sequence[CameraAtWork]


def set_up(config: Config, detector: ModelDetector, build: BuildCamera, *, before: Setup | None = None) -> Setup:
    """Put the cameras of a configuration together, and take over those of `before` that it leaves unchanged.

    Raises EdgedError, after which nothing is left open.
    """
    check_labels(config, detector.labels)
    unchanged = {camera.parts.feeder.camera: camera for camera in before.cameras} if before else {}
    cameras = []
    with ExitStack() as undo:
        for section in config.camera:
            recipe, camera = _recipe(config, section), unchanged.get(section.name)
            if camera is None or camera.recipe != recipe:
                resources = ExitStack()
                undo.push(resources)
                parts = build(section, config, detector, resources)
                camera = CameraAtWork(parts, Lane(parts.mailbox, parts.pipeline), recipe, resources)
            cameras.append(camera)
        undo.pop_all()
    return Setup(config, detector, cameras)


class Reload:
    """Implements pipeline.supervisor.Change."""

    def __init__(
        self,
        setup: Setup,
        *,
        read: ReadConfig,
        load_detector: LoadDetector,
        build: BuildCamera,
        dispatcher: Dispatcher,
        supervisor: Supervisor,
        reporter: Reporter,
        retention: Retention,
        monitor: ThermalMonitor,
        notifier: Notifier,
        clock: Clock,
    ) -> None:
        self._setup = setup
        self._next: Setup | EdgedError | None = None
        self._left_behind: list[CameraAtWork] = []
        self._read = read
        self._load_detector = load_detector
        self._build = build
        self._dispatcher = dispatcher
        self._supervisor = supervisor
        self._reporter = reporter
        self._retention = retention
        self._monitor = monitor
        self._notifier = notifier
        self._clock = clock

    def pulses(self) -> list[Pulse]:
        """Those of the cameras that there are now, and of those that did not stop when they were to: they may hang."""
        return [camera.parts.feeder.pulse for camera in (*self._setup.cameras, *self._left_behind)]

    def prepare(self) -> None:
        """See Change. Reads the configuration, loads a model that it changes, and puts new cameras together."""
        self._reporter.config_pending = True
        try:
            config = self._read()
            _refuse_what_takes_a_restart(self._setup.config, config)
            self._next = self._ready(config)
        except EdgedError as error:
            self._next = error

    def apply(self) -> None:
        """See Change."""
        ready, self._next = self._next, None
        self._reporter.config_pending = False
        if ready is None:
            return
        self._notifier.reloading(self._clock.monotonic())
        if isinstance(ready, EdgedError):
            log.error("the changed configuration is refused, the old one goes on: %s", ready)
            self._reporter.config_error = ready.message
        else:
            self._put_in_force(ready)
            self._reporter.config_error = None
        self._notifier.ready()

    def close(self) -> None:
        """Let go of all that is open. Only when no worker runs any more."""
        ready, self._next = self._next, None
        if isinstance(ready, Setup):
            self._close_what_left(ready, self._setup)
        self._close_what_left(self._setup, None)

    def _ready(self, config: Config) -> Setup:
        if config.model == self._setup.config.model:
            return set_up(config, self._setup.detector, self._build, before=self._setup)
        detector = self._load_detector(config)
        try:
            return set_up(config, detector, self._build)
        except EdgedError:
            detector.close()
            raise

    def _put_in_force(self, new: Setup) -> None:
        old = self._setup
        coming = [camera for camera in new.cameras if camera not in old.cameras]
        leaving = [camera for camera in old.cameras if camera not in new.cameras]
        if not self._dispatcher.add([camera.lane for camera in coming]):  # every recording has just come to its end
            self._close_what_left(new, old)
            return
        self._setup = new
        if self._let_go(leaving):
            self._close_what_left(old, new)
        for camera in coming:
            self._supervisor.add(camera.worker, camera.parts.feeder.run)
        detector = new.detector
        parts = [camera.parts for camera in new.cameras]
        self._reporter.watch(parts, model=detector.spec.name, backend=detector.engine)
        store = new.config.store
        self._retention.keep(days=store.retention_days, snapshots_max_bytes=store.max_snapshots_mb * 1_000_000)
        self._monitor.follow(heat_curve(new.config))
        logging.getLogger().setLevel(new.config.log.level.upper())
        log.warning(
            "the changed configuration is in force: %s, %s, %s",
            counted(len(new.cameras) - len(coming), "camera goes on", "cameras go on"),
            counted(len(coming), "begins", "begin"),
            counted(len(leaving), "ends", "end"),
        )

    def _let_go(self, cameras: Sequence[CameraAtWork]) -> bool:
        """Stop cameras and close what is open in their pipelines; False when one hangs."""
        deadline = self._clock.monotonic() + LET_GO_WITHIN_S
        hung = self._supervisor.remove(camera.worker for camera in cameras)
        self._left_behind += [camera for camera in cameras if camera.worker in hung]
        for camera in cameras:
            camera.parts.mailbox.close()
        left_s = deadline - self._clock.monotonic()
        finished = self._dispatcher.wait_until_finished([camera.lane for camera in cameras], left_s)
        if hung or not finished:
            log.error("did not stop in time, and is left behind: %s", ", ".join(hung) or "detect")
        return finished and not hung

    @staticmethod
    def _close_what_left(old: Setup, new: Setup | None) -> None:
        """Close what `old` has and `new` has not."""
        for camera in old.cameras:
            if new is None or camera not in new.cameras:
                camera.resources.close()
        if new is None or new.detector is not old.detector:
            old.detector.close()


def _recipe(config: Config, section: CameraSection) -> Config:
    """All that a camera is made of: while it stays equal, the camera need not change."""
    every = section.every or config.scheduler.every
    labels = config.presence.labels if section.labels is None else section.labels
    return config.model_copy(
        update={
            "camera": (section.model_copy(update={"every": every, "labels": labels}),),
            "scheduler": config.scheduler.model_copy(update={"every": every}),
            "presence": config.presence.model_copy(update={"labels": labels}),
            "store": config.store.model_copy(update={"retention_days": 1.0, "max_snapshots_mb": 1}),
            "thermal": None,
            "log": None,
        }
    )


def _refuse_what_takes_a_restart(old: Config, new: Config) -> None:
    names = [name for name in type(new).model_fields if name not in _CAN_CHANGE]
    changed = [name for name in names if getattr(old, name) != getattr(new, name)]
    if changed:
        raise ConfigError(
            f"{', '.join(changed)}: cannot be changed while edged runs, so no other change was made either.",
            hint="Restart edged to put it all in force: systemctl restart edged",
        )
