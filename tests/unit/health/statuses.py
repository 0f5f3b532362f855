"""The status of a daemon that is well."""

from __future__ import annotations

from typing import Any

from edged.domain.health import CameraStatus, DaemonStatus


def a_status(**changed: Any) -> DaemonStatus:
    """One camera, 90 seconds after the start; `changed` are fields of DaemonStatus."""
    facts: dict[str, Any] = {
        "version": "0.1.0",
        "pid": 7,
        "run_id": "run",
        "state": "running",
        "started_wall_at": 1.0,
        "written_wall_at": 91.0,
        "uptime_s": 90.0,
        "model": "builtin",
        "backend": "ncnn",
        "inference_p50_ms": None,
        "inference_p99_ms": None,
        "rss_bytes": 120_000_000,
        "cameras": [CameraStatus("yard", "running", fps_in=9.5, fps_detected=4.75)],
    }
    return DaemonStatus(**{**facts, **changed})
