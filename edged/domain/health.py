"""What the daemon knows of itself."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class SourceStats:
    """A source's running totals."""

    frames: int = 0  # given out
    skipped: int = 0  # came, but a newer one was there
    corrupt: int = 0  # came damaged and were dropped
    reopened: int = 0  # times that the source was lost and came back


@dataclass(slots=True)
class CameraStatus:
    """One camera, as `edged status` shows it."""

    camera: str
    source: str
    state: str  # "running", "lost: …", "ended"
    frames: int = 0
    detected: int = 0
    skipped: int = 0
    corrupt: int = 0
    fps_in: float = 0.0
    fps_detected: float = 0.0
    tracks: int = 0
    events: int = 0


@dataclass(slots=True)
class DaemonStatus:
    """The whole daemon, as `edged status` shows it."""

    version: str
    pid: int
    run_id: str
    state: str  # "starting", "running", "stopping", "stopped"
    started_wall_at: float
    written_wall_at: float
    uptime_s: float
    model: str
    backend: str
    inference_p50_ms: float | None
    inference_p99_ms: float | None
    rss_bytes: int
    events_written: int
    events_waiting: int
    store_error: str | None
    cameras: list[CameraStatus] = field(default_factory=list)
