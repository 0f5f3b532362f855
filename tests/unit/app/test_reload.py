"""A configuration that changes under the running daemon: real threads, tracker, rules and event log."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from edged import app
from edged.app.reload import ReadConfig
from edged.clock import Clock, SystemClock
from edged.config.loader import check_tables
from edged.config.schema import CameraSection, Config
from edged.detect.catalogue import find_model
from edged.detect.detector import ModelDetector
from edged.detect.load import load_spec
from edged.domain.events import EventRecord, TrackEvent
from edged.domain.health import DaemonStatus
from edged.domain.machine import Vitals
from edged.errors import ConfigError
from edged.pipeline.daemon import Daemon
from edged.ports import Source
from edged.store.reader import EventLog
from edged.testing.detector import ScriptedDetector
from edged.testing.health import ScriptedSensors
from edged.testing.source import SyntheticObject, SyntheticSource
from tests.pipeline.parts import one_detection

pytestmark = pytest.mark.slow


class SeesOne(ScriptedDetector):
    """A loaded model that sees one person standing there for ever."""

    def __init__(self) -> None:
        self.spec = load_spec(find_model("builtin"))
        self.engine = "none"
        self.closed = False
        super().__init__(self.spec.labels, lambda frame: one_detection((20, 20, 50, 80)))

    def close(self) -> None:
        self.closed = True


class House:
    """A daemon that watches invented cameras; `config` is the file as it stands."""

    def __init__(self, folder: Path, *names: str) -> None:
        self.folder = folder
        self.made: Counter[str] = Counter()
        self.detector = SeesOne()
        self.read: ReadConfig = lambda: self.config(*names)
        self.daemon: Daemon = app.build(
            self.read(),
            clock=SystemClock(),
            detector=cast(ModelDetector, self.detector),
            make_source=self._make_source,
            sensors=ScriptedSensors(Vitals(temp_c=80.0, zone="cpu-thermal", has_sensor=True)),
            read_again=lambda: self.read(),
        )

    def config(self, *names: str, cameras: dict[str, dict[str, object]] | None = None, **tables: Any) -> Config:
        """Watch these cameras; `cameras` are options of some of them."""
        extra = cameras or {}
        each = [{"name": name, "source": f"rtsp://{name}.lan/live", **extra.get(name, {})} for name in names]
        content = {"data_dir": str(self.folder / "data"), "presence": {"seen_for_s": 0.1}, "camera": each, **tables}
        return check_tables(content, name="edged.toml", folder=self.folder)

    def run(self, *steps: Callable[[DaemonStatus], bool]) -> DaemonStatus:
        """Run; each step is asked about every status until it says True, and then the next one. Then stop."""
        left = list(steps)

        def listen(status: DaemonStatus) -> None:
            if status.state == "running" and left and left[0](status):
                left.pop(0)
            if not left:
                self.daemon.request_stop()

        self.daemon.listen(listen)
        return self.daemon.run()

    def change_to(self, read: ReadConfig) -> None:
        """Have the file read again, which gives this."""
        self.read = read
        self.daemon.request_reload()

    def events(self, camera: str) -> list[EventRecord]:
        return [record for record in EventLog(self.folder / "data").read() if record.event.camera == camera]

    def _make_source(self, section: CameraSection, clock: Clock) -> Source:
        self.made[section.name] += 1
        someone = SyntheticObject(1, (30, 60), (20.0, 20.0))
        return SyntheticSource(clock=clock, fps=20.0, frames=None, objects=[someone], in_real_time=True)


def has_appeared(*names: str) -> Callable[[DaemonStatus], bool]:
    def met(status: DaemonStatus) -> bool:
        return {camera.camera for camera in status.cameras if camera.events} >= set(names)

    return met


def kinds(records: list[EventRecord]) -> list[str]:
    return [str(record.event.kind) for record in records]


def test_a_camera_that_did_not_change_keeps_its_tracks_and_one_that_did_begins_anew(tmp_path: Path) -> None:
    house = House(tmp_path, "yard", "gate")

    def change(status: DaemonStatus) -> bool:
        if ready := has_appeared("yard", "gate")(status):
            house.change_to(lambda: house.config("yard", "gate", cameras={"gate": {"every": 2}}))
        return ready

    house.run(change, lambda status: kinds(house.events("gate")) == ["appeared", "left", "appeared"])

    yard, gate = house.events("yard"), house.events("gate")
    assert house.made == {"yard": 1, "gate": 2}
    assert kinds(yard) == ["appeared", "left"]
    assert kinds(gate) == ["appeared", "left", "appeared", "left"]
    reasons = [str(record.event.reason) for record in (*yard, *gate) if record.event.kind == "left"]
    assert reasons == ["ended"] * 3
    assert [record.event.track_id for record in gate if isinstance(record.event, TrackEvent)] == [1, 1, 2, 2]
    assert house.detector.closed


def test_cameras_come_and_go(tmp_path: Path) -> None:
    house = House(tmp_path, "yard", "gate")
    names: list[list[str]] = []

    def change(status: DaemonStatus) -> bool:
        if ready := has_appeared("yard", "gate")(status):
            house.change_to(lambda: house.config("hall", "gate"))
        return ready

    def changed(status: DaemonStatus) -> bool:
        names.append([camera.camera for camera in status.cameras])
        return has_appeared("hall", "gate")(status)

    last = house.run(change, changed)

    assert names[-1] == ["hall", "gate"]
    assert [camera.state for camera in last.cameras] == ["running", "running"]
    assert kinds(house.events("yard")) == kinds(house.events("hall")) == ["appeared", "left"]
    assert kinds(house.events("gate")) == ["appeared", "left"]


@pytest.mark.parametrize("table", ["unreadable", "label", "data_dir"])
def test_a_configuration_that_cannot_be_used_is_refused_and_the_old_one_goes_on(tmp_path: Path, table: str) -> None:
    house = House(tmp_path, "yard")

    def unreadable() -> Config:
        raise ConfigError("edged.toml has a mistake", hint="Mend it.")

    bad: dict[str, tuple[ReadConfig, str]] = {
        "unreadable": (unreadable, "edged.toml has a mistake"),
        "label": (lambda: house.config("yard", "gate", cameras={"gate": {"labels": ["unicorn"]}}), "unicorn"),
        "data_dir": (lambda: house.config("yard", "gate", data_dir=str(tmp_path / "other")), "data_dir"),
    }
    read, word = bad[table]
    said: list[str] = []

    def change(status: DaemonStatus) -> bool:
        if ready := has_appeared("yard")(status):
            house.change_to(read)
        return ready

    def refused(status: DaemonStatus) -> bool:
        if status.config_error is not None:
            said.append(status.config_error)
            house.change_to(lambda: house.config("yard"))
        return bool(said)

    house.run(change, refused, lambda status: status.config_error is None)

    assert word in said[0]
    assert kinds(house.events("yard")) == ["appeared", "left"]
    assert house.made == {"yard": 1}
    assert not (tmp_path / "other").exists()


def test_a_change_of_what_is_kept_or_logged_touches_no_camera(tmp_path: Path) -> None:
    house = House(tmp_path, "yard")

    def change(status: DaemonStatus) -> bool:
        if ready := has_appeared("yard")(status):
            house.change_to(lambda: house.config("yard", store={"retention_days": 2.0}, log={"level": "info"}))
        return ready

    frames: list[int] = []

    def went_on(status: DaemonStatus) -> bool:
        frames.append(status.cameras[0].frames)
        return len(frames) == 3

    house.run(change, went_on)

    assert frames == sorted(frames)
    assert house.made == {"yard": 1}
    (event,) = {record.event.track_id for record in house.events("yard") if isinstance(record.event, TrackEvent)}
    assert event == 1


def test_another_curve_of_heat_is_followed_at_once_and_touches_no_camera(tmp_path: Path) -> None:
    house = House(tmp_path, "yard")

    def change(status: DaemonStatus) -> bool:
        if ready := status.machine.budget == 0.6:
            house.change_to(lambda: house.config("yard", thermal={"warn_c": 90.0, "stop_c": 95.0}))
        return ready

    last = house.run(change, lambda status: status.machine.budget == 1.0)

    assert last.machine.temp_c == 80.0
    assert house.made == {"yard": 1}


def test_another_model_takes_over_from_the_old_one_and_all_cameras_begin_anew(tmp_path: Path) -> None:
    house = House(tmp_path, "yard")
    engines: list[str] = []

    def change(status: DaemonStatus) -> bool:
        engines.append(status.backend)
        if ready := has_appeared("yard")(status):
            house.change_to(lambda: house.config("yard", model={"confidence": 0.9}))
        return ready

    last = house.run(change, lambda status: status.backend != engines[0] and status.cameras[0].detected > 0)

    assert engines[0] == "none"
    assert last.backend == "ncnn"
    assert house.detector.closed
    assert kinds(house.events("yard")) == ["appeared", "left"]  # the new one finds nobody in a drawn picture


@pytest.mark.parametrize("folder", ["nowhere", "x" * 300], ids=["not there", "cannot be looked at"])
def test_a_model_that_does_not_load_is_refused_and_the_old_one_looks_on(tmp_path: Path, folder: str) -> None:
    house = House(tmp_path, "yard")
    frames: list[int] = []

    def change(status: DaemonStatus) -> bool:
        if ready := has_appeared("yard")(status):
            house.change_to(lambda: house.config("yard", model={"path": f"./{folder}"}))
        return ready

    def looks_on(status: DaemonStatus) -> bool:
        if status.config_error is not None:
            assert not house.detector.closed
            frames.append(status.cameras[0].frames)
        return len(frames) == 2

    last = house.run(change, looks_on)

    assert frames[1] > frames[0]
    assert folder in str(last.config_error)
    assert house.made == {"yard": 1}


def test_a_change_that_takes_minutes_to_prepare_is_told_and_keeps_no_stop_waiting(tmp_path: Path) -> None:
    house, release = House(tmp_path, "yard"), threading.Event()

    def read() -> Config:
        release.wait(30)  # as a model does whose engine is built
        return house.config("yard", "gate")

    def change(status: DaemonStatus) -> bool:
        if ready := has_appeared("yard")(status):
            house.change_to(read)
        return ready

    last = house.run(change, lambda status: status.config_pending)
    left_behind = house.daemon.left_behind
    release.set()

    assert left_behind
    assert last.state == "stopped"
    assert kinds(house.events("yard")) == ["appeared", "left"]
    assert house.detector.closed
