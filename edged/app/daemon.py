"""The daemon: its parts are started in the order in which they are made here, and stopped in the reverse order."""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path

from edged import __version__
from edged.app.camera import MakeSource, Observers, build_camera
from edged.app.heat import build_monitor
from edged.app.models import load_detector
from edged.app.reload import BuildCamera, ReadConfig, Reload, Setup, set_up
from edged.clock import Clock, SystemClock
from edged.config.loader import check_tables
from edged.config.schema import Config
from edged.detect.detector import ModelDetector
from edged.domain.pulse import Pulse
from edged.errors import StoreDiskFails, StoreError, StoreLocked
from edged.health.liveness import Liveness
from edged.health.machine import machine_status
from edged.health.monitor import ThermalMonitor
from edged.health.notify import find_notifier
from edged.health.run_keeper import RunKeeper
from edged.health.stacks import LastResort
from edged.health.status_file import NAME as STATUS_NAME
from edged.health.status_file import StatusFile
from edged.health.status_line import StatusLine
from edged.pipeline.daemon import Daemon
from edged.pipeline.dispatcher import Dispatcher
from edged.pipeline.latency import Latency
from edged.pipeline.reporter import Reporter
from edged.pipeline.supervisor import Supervisor
from edged.ports import Notifier, Sensors
from edged.scheduling.turns import Turns
from edged.store.events import OPEN_WITHIN_S, EventStore
from edged.store.lock import FolderLock
from edged.store.retention import Retention

log = logging.getLogger(__name__)


def build(
    config: Config,
    *,
    clock: Clock | None = None,
    detector: ModelDetector | None = None,
    observers: Observers | None = None,
    make_source: MakeSource | None = None,
    sensors: Sensors | None = None,
    read_again: ReadConfig | None = None,
    unattended: bool = False,
) -> Daemon:
    """Put the daemon together: load and try the model, lock and open the event log. Starts no thread.

    `detector` is one that load_detector() has loaded already; the daemon closes it at its end. `make_source` and
    `sensors` stand in for the real ones where a test or a benchmark wants to see through them. `read_again` reads the
    configuration for Daemon.request_reload(). `unattended` has a hang of Python itself ended from outside of it; where
    somebody is there to do so, the process may as well be halted for an hour (Ctrl-Z). Raises EdgedError.
    """
    clock = clock or SystemClock()
    with ExitStack() as resources:
        ground = _lay_ground(
            config,
            detector or load_detector(config),
            resources,
            clock=clock,
            observers=observers or {},
            make_source=make_source,
            sensors=sensors,
        )
        store, setup = ground.store, ground.setup
        keeper = RunKeeper(
            config.data_dir,
            run_id=store.run_id,
            version=__version__,
            clock=clock,
            status_path=config.status_dir / STATUS_NAME,
        )
        keeper.tell(store)
        lanes = [camera.lane for camera in setup.cameras]
        dispatcher = Dispatcher(lanes, ground.arrival, turns=Turns(), clock=clock)

        def pulses() -> list[Pulse]:
            return [store.pulse, keeper.pulse, dispatcher.pulse, *reload.pulses()]

        last_resort = LastResort() if unattended else None
        liveness = Liveness(pulses, notifier=ground.notifier, clock=clock, last_resort=last_resort)
        supervisor = Supervisor(
            [
                {"store": store.run, "record": keeper.run, "sensors": ground.monitor.run},
                {"detect": dispatcher.run},
                {camera.worker: camera.parts.feeder.run for camera in setup.cameras},
            ],
            clock=clock,
            tick_s=liveness.look_every_s,
            pulses=pulses,
        )
        reporter = _reporter(ground, keeper, clock)
        reload = Reload(
            setup,
            read=read_again or (lambda: config),
            load_detector=load_detector,
            build=ground.build_camera,
            dispatcher=dispatcher,
            supervisor=supervisor,
            reporter=reporter,
            retention=ground.retention,
            monitor=ground.monitor,
            notifier=ground.notifier,
            clock=clock,
        )
        resources.callback(reload.close)
        return Daemon(
            run_id=store.run_id,
            supervisor=supervisor,
            reporter=reporter,
            liveness=liveness,
            listeners=[StatusLine(ground.notifier, clock=clock), keeper, _status_file(config.status_dir)],
            resources=resources.pop_all(),
            change=reload,
        )


@dataclass(frozen=True, slots=True)
class _Ground:
    """What may fail while a daemon is put together; the rest stands on it."""

    notifier: Notifier
    retention: Retention
    store: EventStore
    monitor: ThermalMonitor
    arrival: threading.Condition  # of a frame, for any camera
    latency: Latency
    build_camera: BuildCamera
    setup: Setup


def _lay_ground(
    config: Config,
    detector: ModelDetector,
    resources: ExitStack,
    *,
    clock: Clock,
    observers: Observers,
    make_source: MakeSource | None,
    sensors: Sensors | None,
) -> _Ground:
    """Open the event log, and put the cameras together; the store is closed with `resources`.

    Raises EdgedError, after which the detector is closed.
    """
    with ExitStack() as undo:
        undo.callback(detector.close)
        notifier = find_notifier()
        retention = _retention(config, clock)
        store = _open_store(config, clock, retention, notifier)
        resources.callback(store.close)
        _lock_status_folder(config, resources)
        monitor = build_monitor(config, store, clock, sensors)
        arrival, latency = threading.Condition(), Latency()
        build_one = partial(
            build_camera,
            clock=clock,
            make_source=make_source,
            store=store,
            arrival=arrival,
            latency=latency,
            observers=observers,
            track_ids=defaultdict(lambda: count(1)),
            budget=monitor,
        )
        setup = set_up(config, detector, build_one)
        undo.pop_all()
    return _Ground(notifier, retention, store, monitor, arrival, latency, build_one, setup)


def _reporter(ground: _Ground, keeper: RunKeeper, clock: Clock) -> Reporter:
    store, detector = ground.store, ground.setup.detector
    return Reporter(
        clock=clock,
        run_id=store.run_id,
        model=detector.spec.name,
        backend=detector.engine,
        cameras=[camera.parts for camera in ground.setup.cameras],
        latency=ground.latency,
        store=lambda: store.status,
        machine=partial(machine_status, ground.monitor, keeper, clock),
        last_end=keeper.last_end,
    )


def demo_config(*, camera: str, source: str, model: str, data_dir: Path, every: int, threads: int) -> Config:
    """Make the configuration of `edged demo`: one source, all defaults. Raises ConfigError."""
    tables = {
        "data_dir": str(data_dir),
        "model": {"path": model, "threads": threads},
        "scheduler": {"policy": "stride", "every": every},
        "camera": [{"name": camera, "source": source}],
    }
    return check_tables(tables, name="the command line", folder=Path.cwd())


def _lock_status_folder(config: Config, resources: ExitStack) -> None:
    """See that no two daemons, each with a data folder of its own, write one status file. Raises StoreLocked."""
    lock = FolderLock(config.status_dir)
    resources.callback(lock.release)
    try:
        config.status_dir.mkdir(parents=True, exist_ok=True)
        if not config.status_dir.samefile(config.data_dir):  # which the store has locked
            lock.acquire()
    except StoreLocked as error:
        raise StoreLocked(error.message, hint="Stop it first, or give this one a runtime_dir of its own.") from None
    except (OSError, StoreError):
        pass  # the first status tells


def _status_file(folder: Path) -> StatusFile:
    with suppress(OSError):  # the first write tells
        folder.mkdir(parents=True, exist_ok=True)
    return StatusFile(folder / STATUS_NAME)


def _retention(config: Config, clock: Clock) -> Retention:
    return Retention(
        clock,
        keep_days=config.store.retention_days,
        snapshots_max_bytes=config.store.max_snapshots_mb * 1_000_000,
    )


def _open_store(config: Config, clock: Clock, retention: Retention, notifier: Notifier) -> EventStore:
    store = EventStore(config.data_dir, clock=clock, version=__version__, retention=retention)
    notifier.status("opening the event log, with a check of it after an end that was not clean")
    notifier.extend_timeout(OPEN_WITHIN_S)  # who ended a rescue would have it begin anew, for ever
    try:
        store.open()
    except StoreDiskFails as error:
        # A bad day, not the end: detection goes on, and the store tries again by itself.
        log.error("edged watches, though it cannot store what it sees until this is mended: %s", error)
    except StoreError:  # a wrong user or path mends itself never, however long edged watches and forgets
        store.close()
        raise
    return store
