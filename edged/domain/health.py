"""What the daemon knows of itself."""

from __future__ import annotations

from dataclasses import dataclass, field

from edged.domain.machine import MachineStatus


@dataclass(slots=True)
class SourceStats:
    """A source's running totals."""

    frames: int = 0  # given out
    dropped: int = 0  # came, but a newer one was there
    corrupt: int = 0  # came damaged, and were passed over
    missed: int = 0  # never came, as the gaps in the driver's numbers tell
    interval_s: float | None = None  # from one frame to the next, as the source says itself; None: it does not


@dataclass(slots=True)
class CameraStatus:
    """One camera, as `edged status` shows it."""

    camera: str
    state: str  # "starting", "running", "lost: …", "ended", "failed: …"
    picture: str | None = None  # "ok", "frozen", "blank", "damaged"; None for a recording, whose picture nobody watches
    frames: int = 0  # went through the pipeline
    frames_expected: int | None = None  # about how many there will be; None for a camera, which does not end
    detected: int = 0  # of these, were looked at by the detector
    skipped: int = 0  # came, but a newer one was there
    corrupt: int = 0  # came damaged
    missed: int = 0  # never came: the camera's driver had no room for them
    reopened: int = 0  # times that the source was lost, however often it had to be tried until it was back
    fps_in: float = 0.0  # given out by the source, over the last ten seconds
    fps_detected: float = 0.0
    tracks: int = 0  # objects in view now
    events: int = 0


@dataclass(slots=True)
class StoreStatus:
    """The event log, as `edged status` shows it."""

    written: int = 0  # events committed since the start
    waiting: int = 0  # events in memory, not committed yet
    dropped: int = 0  # events lost: too many were waiting, or the database refused them
    snapshots_dropped: int = 0  # pictures lost: too many were waiting, or they could not be written
    error: str | None = None  # why nothing can be written now


@dataclass(frozen=True, slots=True)
class LastEnd:
    """How the run before this one ended."""

    reason: str  # "stop", "failed", "crash", "watchdog", "oom", "killed", "power", "unknown"
    detail: str  # a clause for people
    run_id: str
    last_heard_wall_at: float  # seconds since 1970-01-01 UTC
    uptime_s: float  # when it was last heard of
    summary: str  # how it was then, in one line


@dataclass(slots=True)
class DaemonStatus:
    """The whole daemon, as `edged status` shows it."""

    version: str
    pid: int
    run_id: str
    state: str  # "running", "stopped", "failed: …", "crashed: …", "hung: …"
    started_wall_at: float  # seconds since 1970-01-01 UTC
    written_wall_at: float  # seconds since 1970-01-01 UTC
    uptime_s: float
    model: str
    backend: str
    inference_p50_ms: float | None
    inference_p99_ms: float | None
    rss_bytes: int
    store: StoreStatus = field(default_factory=StoreStatus)
    machine: MachineStatus = field(default_factory=MachineStatus)
    last_end: LastEnd | None = None  # None: there was no run before this one
    cameras: list[CameraStatus] = field(default_factory=list)
    config_error: str | None = None  # why the configuration was refused when it was read again; the old one holds
    config_pending: bool = False  # a changed one is being prepared, which takes minutes where a model is built
