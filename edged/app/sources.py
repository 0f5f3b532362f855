"""Sources: which cameras this machine has, and how each is opened."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from edged.capture.cameras import FoundCamera
from edged.capture.devices.finder import CameraFinder
from edged.capture.open import open_source
from edged.capture.v4l2.describe import suited_mode
from edged.capture.v4l2.mode import WantedMode
from edged.clock import Clock, SystemClock
from edged.config.loader import check_tables
from edged.config.schema import CameraSection, Config
from edged.detect.spec import ModelSpec
from edged.domain.addresses import without_secrets
from edged.domain.frame import BgrImage
from edged.pipeline.one_picture import take_picture
from edged.ports import Source


def make_source(section: CameraSection, clock: Clock, *, find: CameraFinder | None = None) -> Source:
    """The source of a camera, not opened yet; without `find`, devices are looked for on this machine."""
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
    with closing(make_source(section, clock)) as source:
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
            with closing(make_source(section, SystemClock())) as source:
                source.open()


def read_picture(path: Path) -> BgrImage:
    """Decode a picture file. Raises SourceError, and ConfigError for what looks like an address."""
    return picture_of(camera_at(str(path)))
