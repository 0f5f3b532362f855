"""What may stand in edged's configuration file: every option, with its sentence, unit, range and default.

This room is the one place that knows an option: checking, `edged check-config`, and docs/configuration.md all read it
from here. An option that is `None` is not set: its sentence says what holds then. A table of the file is a class in the
module of its name or subject; they come together in `Config`.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import model_validator

from edged.config.contradictions import contradictions
from edged.config.schema.camera import CameraSection
from edged.config.schema.events import PresenceSection, StoreSection
from edged.config.schema.fields import NAME_PATTERN, FolderPath, Section, option
from edged.config.schema.following import SchedulerSection, TrackerSection
from edged.config.schema.log import LogSection
from edged.config.schema.model import ModelSection
from edged.config.schema.thermal import ThermalSection

__all__ = ["NAME_PATTERN", "CameraSection", "Config", "Folders"]


class Folders(Section):
    """What stands above all tables: where a daemon keeps its things."""

    data_dir: FolderPath = option(Path("/var/lib/edged"), "Folder of the event log and the snapshots.", "folder")
    runtime_dir: FolderPath | None = option(
        None,
        "Folder of the status file, which is written every second: best in memory, such as /run/edged. "
        "Not set: data_dir.",
        "folder",
    )

    @property
    def status_dir(self) -> Path:
        """Where the status file lies."""
        return self.runtime_dir or self.data_dir


class Config(Folders):
    """The whole file. `edged.config.loader.load_config` makes one, with absolute paths."""

    model: ModelSection = option(ModelSection(), "Which model looks at the frames, and how.", "table")
    tracker: TrackerSection = option(TrackerSection(), "How detections become tracks.", "table")
    scheduler: SchedulerSection = option(SchedulerSection(), "Which frames the detector sees.", "table")
    presence: PresenceSection = option(
        PresenceSection(), "When an object is worth the events `appeared` and `left`.", "table"
    )
    store: StoreSection = option(StoreSection(), "What is kept, and for how long.", "table")
    thermal: ThermalSection = option(ThermalSection(), "How inference gives way to heat.", "table")
    log: LogSection = option(LogSection(), "What the daemon says of itself.", "table")
    camera: tuple[CameraSection, ...] = option(
        ..., "The cameras, one [[camera]] table each.", "tables", min_length=1, max_length=64, strict=False
    )

    @model_validator(mode="after")
    def _no_contradictions(self) -> Config:
        for _, text in contradictions(self.model_dump()):
            raise ValueError(text)
        return self
