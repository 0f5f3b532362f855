"""A change that takes away a camera which does not let go."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable
from functools import partial
from itertools import count
from pathlib import Path
from typing import cast

from edged.app.camera import build_camera
from edged.app.heat import heat_curve
from edged.app.reload import LET_GO_WITHIN_S, Reload, set_up
from edged.clock import Clock, SystemClock
from edged.config.loader import check_tables
from edged.config.schema import CameraSection, Config
from edged.detect.detector import ModelDetector
from edged.domain.health import StoreStatus
from edged.health.monitor import ThermalMonitor
from edged.pipeline.dispatcher import Dispatcher, Lane
from edged.pipeline.latency import Latency
from edged.pipeline.reporter import Reporter
from edged.pipeline.supervisor import Supervisor
from edged.ports import Source
from edged.scheduling.turns import Turns
from edged.store.retention import Retention
from edged.testing.events import MemorySink
from edged.testing.health import RecordingNotifier, ScriptedSensors
from edged.testing.source import SyntheticSource
from tests.unit.app.test_reload import SeesOne


def watching(folder: Path, *names: str) -> Config:
    cameras = [{"name": name, "source": f"rtsp://{name}.lan/live"} for name in names]
    return check_tables({"data_dir": str(folder), "camera": cameras}, name="edged.toml", folder=folder)


def make_source(section: CameraSection, clock: Clock) -> Source:
    return SyntheticSource(clock=clock, frames=None)


class BusyDispatcher(Dispatcher):
    """A detector that is not done with a camera in time."""

    had_s: float | None = None

    def wait_until_finished(self, lanes: Iterable[Lane], timeout_s: float) -> bool:
        self.had_s = timeout_s
        return False


def test_a_camera_that_hangs_and_was_taken_away_is_judged_on(tmp_path: Path) -> None:
    clock, events, arrival, latency = SystemClock(), MemorySink(), threading.Condition(), Latency()
    build = partial(
        build_camera,
        clock=clock,
        make_source=make_source,
        store=events,
        arrival=arrival,
        latency=latency,
        observers={},
        track_ids=defaultdict(lambda: count(1)),
    )
    detector = cast(ModelDetector, SeesOne())
    setup = set_up(watching(tmp_path, "yard", "gate"), detector, build)
    supervisor = Supervisor([{}, {}, {}], clock=clock, stop_within_s=0.01)
    dispatcher = BusyDispatcher([], arrival, turns=Turns(), clock=clock)
    notifier = RecordingNotifier()
    reload = Reload(
        setup,
        read=lambda: watching(tmp_path, "gate"),
        load_detector=lambda config: detector,
        build=build,
        dispatcher=dispatcher,
        supervisor=supervisor,
        reporter=Reporter(
            clock=clock,
            run_id="run",
            model="m",
            backend="b",
            cameras=[],
            latency=latency,
            store=StoreStatus,
        ),
        retention=Retention(clock, keep_days=None, snapshots_max_bytes=None),
        monitor=ThermalMonitor(
            ScriptedSensors(), curve=heat_curve(watching(tmp_path, "yard")), events=events, clock=clock
        ),
        notifier=notifier,
        clock=clock,
    )
    yard = setup.cameras[0].parts.feeder.pulse
    let_go = threading.Event()

    def hang(stop: threading.Event) -> None:
        let_go.wait()

    try:
        supervisor.add("capture-yard", hang)
        reload.prepare()
        reload.apply()
        assert notifier.lines == ["RELOADING=1", "READY=1"]
        assert [pulse.worker for pulse in reload.pulses()] == ["capture-gate", "capture-yard"]
        assert reload.pulses()[1] is yard
        assert dispatcher.had_s is not None
        assert dispatcher.had_s < LET_GO_WITHIN_S  # the camera had the rest: systemd's next ping waits for both
    finally:
        let_go.set()
