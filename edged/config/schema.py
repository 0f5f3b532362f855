"""What may stand in edged's configuration file: every option, with its sentence, unit, range and default.

This page is the one place that knows an option: checking, `edged check-config`, and docs/configuration.md all read it
from here. An option that is `None` is not set: its sentence says what holds then.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict, ValidationInfo, model_validator

from edged.config.contradictions import FRAME_TIMEOUT_S, LEAST_FPS, contradictions
from edged.domain.addresses import SCHEMES, has_bad_reference, is_hidden, looks_like_address, scheme
from edged.domain.devices import device_path

NAME_PATTERN = r"^[a-z0-9][a-z0-9_-]*$"

Play = Literal["as_fast_as_possible", "in_real_time"]
PixelFormat = Literal["MJPG", "JPEG", "YUYV", "UYVY", "NV12", "NM12", "YU12", "YM12", "GREY", "BGR3"]
LogLevel = Literal["debug", "info", "warning", "error"]


def option(default: Any, sentence: str, unit: str, **limits: Any) -> Any:
    """Declare an option: its default (`...` when it must be given), a sentence for people, its unit, and limits."""
    return Field(default, description=sentence, json_schema_extra={"unit": unit}, **limits)


def _resolve(text: str, info: ValidationInfo) -> str:
    """Read the path `text` relative to the folder that the loader put into the validation's context."""
    if "\0" in text:
        raise ValueError("a path cannot hold a NUL character")
    if text.startswith("~/"):
        return str(_home() / text[2:])
    folder: Path | None = (info.context or {}).get("folder")
    return str(folder / text) if folder is not None else text


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:
        raise ValueError("this user has no home folder: write the whole path instead of ~") from None


def _folder(path: Path, info: ValidationInfo) -> Path:
    return Path(_resolve(str(path), info))


def _source(text: str, info: ValidationInfo) -> str:
    text = text.strip()
    if not text:
        raise ValueError("it is blank")
    kind = scheme(text)
    if kind in SCHEMES:
        return _address(text)
    if kind is not None:
        raise ValueError(f"edged reads addresses that begin with {', '.join(f'{known}://' for known in SCHEMES)}")
    if looks_like_address(text):
        raise ValueError(
            "it looks like a network address; write rtsp://user:password@host/path, or ./ before the name of a file"
        )
    return _resolve(device_path(text) or text, info)


def _address(text: str) -> str:
    if is_hidden(text):
        raise ValueError("the password was hidden here: put it back, or use ${NAME}")
    if has_bad_reference(text):
        raise ValueError("in ${NAME}, the name of a secret holds letters, digits and _ only, and a } ends it")
    return text


def _model_path(text: str, info: ValidationInfo) -> str:
    """A name has no slash in it; everything else is a folder."""
    return _resolve(text, info) if "/" in text or text in (".", "..") else text


def _controls(controls: dict[str, Any]) -> dict[str, Any]:
    for name, value in controls.items():
        if not isinstance(value, bool | int | str):
            raise ValueError(f"{name} must be a whole number, a text in quotes, true or false")
    return controls


FolderPath = Annotated[Path, Strict(False), AfterValidator(_folder)]  # TOML has no paths, only texts


class Section(BaseModel):
    """A table of the file. Frozen, takes no unknown key, and turns no text into a number."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class ModelSection(Section):
    """Which model looks at the frames, and how."""

    path: Annotated[str, AfterValidator(_model_path)] = option(
        "builtin",
        "Folder of the model, or the name of one that `edged models list` shows. A folder has a slash in it: ./mine.",
        "folder or name",
        min_length=1,
    )
    backend: Literal["ncnn"] = option("ncnn", "Inference engine that runs the model.", "choice")
    threads: int = option(
        1, "Threads of one inference. More than the machine has idle cores makes it slower.", "threads", ge=1, le=64
    )
    confidence: float | None = option(
        None,
        "The detector drops what it is less sure of than this. Not set: what the model's own file says.",
        "0..1",
        gt=0,
        le=1,
    )
    nms_iou: float | None = option(
        None,
        "Boxes of one class that overlap by more than this are one object. Not set: what the model's own file says.",
        "0..1",
        gt=0,
        le=1,
    )


class TrackerSection(Section):
    """How detections become tracks."""

    high_confidence: float | None = option(
        None,
        "Detections from this confidence on are matched first. Not set: what the model's own file says.",
        "0..1",
        gt=0,
        le=1,
    )
    low_confidence: float | None = option(
        None,
        "Detections from this confidence on may continue a track; the tracker takes no notice of those below. "
        "Not set: what the model's own file says.",
        "0..1",
        gt=0,
        le=1,
    )
    new_track_confidence: float | None = option(
        None,
        "Confidence that a detection needs to begin a track. Not set: what the model's own file says.",
        "0..1",
        gt=0,
        le=1,
    )
    match_cost_max: float = option(
        0.8, "A detection continues a track when 1 - IoU x confidence is below this.", "0..1", gt=0, le=1
    )
    lost_after_s: float = option(1.0, "A track that was not seen for this long is given up.", "seconds", gt=0, le=600)
    class_aware: bool = option(
        True, "Whether a track keeps to its kind of object, so that a car never continues a person.", "true or false"
    )


class SchedulerSection(Section):
    """Which frames the detector sees."""

    every: int = option(
        1, "Detect every N-th frame and predict the tracks in between; 1 detects all.", "frames", ge=1, le=1000
    )


class PresenceSection(Section):
    """When an object is worth the events `appeared` and `left`."""

    seen_for_s: float = option(
        1.0, "An object counts as appeared once it has been in view for this long.", "seconds", ge=0, le=3600
    )
    rejoin_within_s: float = option(
        3.0,
        "An object that is lost and found again within this time, about where it must be by then, has not left.",
        "seconds",
        ge=0,
        le=3600,
    )
    labels: tuple[str, ...] = option(
        (), "Labels that make events, as the model names them; an empty list means all.", "list of labels", strict=False
    )


class StoreSection(Section):
    """What is kept, and for how long."""

    retention_days: float = option(30.0, "Events and snapshots older than this are deleted.", "days", gt=0, le=36500)
    snapshots: bool = option(True, "Whether the best picture of each object is kept with its events.", "true or false")
    snapshot_quality: int = option(85, "JPEG quality of the snapshots.", "1..100", ge=1, le=100)
    max_snapshots_mb: int = option(
        1000, "The oldest snapshots are deleted when all together take more room than this.", "MB", ge=1, le=10_000_000
    )


class LogSection(Section):
    """What the daemon says of itself on stderr, where journald picks it up."""

    level: LogLevel = option("info", "The least important message that is written.", "choice")


class CameraSection(Section):
    """One camera. Write the table once for each: [[camera]]."""

    name: str = option(
        ...,
        "Name of the camera in events and file names: small letters, digits, - and _; no two alike.",
        "name",
        pattern=NAME_PATTERN,
        max_length=40,
    )
    source: Annotated[str, AfterValidator(_source)] = option(
        ...,
        "Where the frames come from: /dev/video0, rtsp://camera.lan/live, a video file, or a folder of images.",
        "path or address",
        min_length=1,
        repr=False,  # an address may hold a password
    )
    play: Play = option(
        "as_fast_as_possible",
        "How a file or folder is played: every frame, or as a camera would, where the newest frame wins. "
        "A camera always gives its newest frame.",
        "choice",
    )
    frame_timeout_s: float = option(
        FRAME_TIMEOUT_S,
        "A camera that gives no frame for this long is lost: it is opened again, and those in view of it leave. "
        "Its first frame may take 5 seconds all the same. At least the time of two frames, 2 / fps.",
        "seconds",
        ge=0.1,
        le=600,
    )
    format: PixelFormat | None = option(
        None,
        "Pixel format of a camera, by the four letters that the kernel knows it by. Not set: what costs least.",
        "choice",
    )
    width_px: int | None = option(
        None, "Width of a camera's pictures. Not set: 640, or the next above it.", "pixels", ge=16, le=16384
    )
    height_px: int | None = option(
        None, "Height of a camera's pictures. Not set: 480, or the next above it.", "pixels", ge=16, le=16384
    )
    fps: float | None = option(
        None,
        "Frames a second that a camera is asked for. Not set: 30, or the nearest that it has.",
        "frames a second",
        ge=LEAST_FPS,
        le=1000,
    )
    controls: Annotated[dict[str, Any], AfterValidator(_controls)] = option(
        {},
        'Controls of a camera to set when it is opened, such as power_line_frequency = "50 Hz". '
        "`edged cameras` lists those that a camera has.",
        "table of numbers, texts, true or false",
    )
    image_interval_s: float = option(
        0.1, "Time from one picture to the next in a folder of images.", "seconds", ge=0.001, le=86400
    )
    every: int | None = option(
        None, "For this camera, instead of scheduler.every. Not set: as there.", "frames", ge=1, le=1000
    )
    labels: tuple[str, ...] | None = option(
        None, "For this camera, instead of presence.labels. Not set: as there.", "list of labels", strict=False
    )

    @property
    def device(self) -> Path | None:
        """The source as the path of a device; None for everything else."""
        path = device_path(self.source)
        return None if path is None else Path(path)

    @property
    def is_device(self) -> bool:
        """Whether the source is a camera at this machine."""
        return self.device is not None

    @property
    def is_live(self) -> bool:
        """Whether the source is a camera, here or on the network, which never ends, rather than a file or folder."""
        return self.is_device or scheme(self.source) is not None


class Config(Section):
    """The whole file. `edged.config.loader.load_config` makes one, with absolute paths."""

    data_dir: FolderPath = option(Path("/var/lib/edged"), "Folder of the event log and the snapshots.", "folder")
    runtime_dir: FolderPath | None = option(
        None,
        "Folder of the status file, which is written every second: best in memory, such as /run/edged. "
        "Not set: data_dir.",
        "folder",
    )
    model: ModelSection = option(ModelSection(), "Which model looks at the frames, and how.", "table")
    tracker: TrackerSection = option(TrackerSection(), "How detections become tracks.", "table")
    scheduler: SchedulerSection = option(SchedulerSection(), "Which frames the detector sees.", "table")
    presence: PresenceSection = option(
        PresenceSection(), "When an object is worth the events `appeared` and `left`.", "table"
    )
    store: StoreSection = option(StoreSection(), "What is kept, and for how long.", "table")
    log: LogSection = option(LogSection(), "What the daemon says of itself.", "table")
    camera: tuple[CameraSection, ...] = option(
        ..., "The cameras, one [[camera]] table each.", "tables", min_length=1, max_length=64, strict=False
    )

    @property
    def status_dir(self) -> Path:
        """Where the status file lies."""
        return self.runtime_dir or self.data_dir

    @model_validator(mode="after")
    def _no_contradictions(self) -> Config:
        for _, text in contradictions(self.model_dump()):
            raise ValueError(text)
        return self
