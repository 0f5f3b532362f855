"""What `edged doctor` looks at: the configuration, its cameras and its model, then the machine."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from edged.app.models import check_labels, load_detector
from edged.app.sources import make_source
from edged.capture.cameras import FoundCamera, find_cameras, which_camera
from edged.clock import Clock, SystemClock
from edged.config.contradictions import WARN_C
from edged.config.loader import load_config
from edged.config.schema import CameraSection, Config
from edged.domain.addresses import scheme, without_secrets
from edged.domain.checkup import Finding, fail, ok, unknown
from edged.errors import ConfigError, EdgedError, SourceError
from edged.health.board.vitals import BoardSensors
from edged.health.doctor.disk import disk
from edged.health.doctor.heat import fan, governor, supply, temperature
from edged.health.doctor.jetson import gpu_clocks
from edged.health.doctor.system import clock_set, hardware_watchdog, memory_controller, network, repair, service
from edged.health.programs import Ask, ask_program

FindCameras = Callable[[], Sequence[FoundCamera]]


def examine(
    path: Path,
    *,
    root: Path = Path("/"),
    clock: Clock | None = None,
    ask: Ask = ask_program,
    find_cameras: FindCameras = find_cameras,
) -> Iterator[Finding]:
    """Look at everything once, with the configuration at `path`. Nothing is changed, and no running daemon disturbed.

    `root` stands for /, `ask` for running commands and `find_cameras` for the devices, where a test has its own.
    """
    clock = clock or SystemClock()
    try:
        config = load_config(path)
        yield ok("configuration", str(path))
    except ConfigError as error:
        config = None
        yield fail("configuration", error.message, error.hint)
    if config is not None:
        yield from _cameras(config.camera, path, find_cameras, clock)
        yield _model(config)
        yield from disk(config.data_dir, clock=clock)
        if any(scheme(section.source) is not None for section in config.camera):
            yield network(ask)
    yield service(ask)
    vitals = BoardSensors(clock=clock, root=root, ask=ask).read()
    yield temperature(vitals, warn_c=WARN_C if config is None else config.thermal.warn_c)
    yield supply(vitals.throttling)
    yield from fan(vitals, root)
    yield governor(root)
    yield clock_set(clock)
    yield hardware_watchdog(root)
    yield memory_controller(root)
    yield repair(root)
    yield from gpu_clocks(ask, root)


def _model(config: Config) -> Finding:
    """Load the model in its engine, which tries it; a wrong answer to a known picture is a failure."""
    try:
        # A folder that root makes for an engine here would be closed to the daemon, which is another user.
        kept = os.access(config.data_dir / "cache", os.R_OK | os.X_OK)
        with closing(load_detector(config, keep=kept)) as detector:
            check_labels(config, detector.labels)
            return ok("model", f"{detector.spec.name} on {detector.engine} gives sound answers")
    except EdgedError as error:
        return fail("model", error.message, error.hint)


def _cameras(
    sections: Iterable[CameraSection], path: Path, find_cameras: FindCameras, clock: Clock
) -> Iterator[Finding]:
    found = list(find_cameras()) if any(section.is_device for section in sections) else []
    for section in sections:
        what = f"camera {section.name}"
        if section.is_device:
            yield _device(what, section, found)
        elif scheme(section.source) is not None:
            address = without_secrets(section.source)
            ask = f"edged snapshot {section.name} -o now.jpg -c {shlex.quote(str(path))}"
            yield unknown(what, f"{address} was not asked", ask)
        else:
            yield _recording(what, section, clock)


def _recording(what: str, section: CameraSection, clock: Clock) -> Finding:
    """Decode its first picture."""
    try:
        with closing(make_source(section, clock)) as source:
            source.open()
    except SourceError as error:
        return fail(what, error.message, error.hint)
    return ok(what, f"plays {section.source}")


def _device(what: str, section: CameraSection, found: Sequence[FoundCamera]) -> Finding:
    camera = which_camera(Path(section.source), found)
    if camera is None:
        return fail(what, f"there is no camera at {section.source}", "edged cameras")
    if camera.trouble is not None:
        return fail(what, camera.trouble.message, camera.trouble.hint)
    return ok(what, f"{camera.node.name} at {camera.node.path}")
