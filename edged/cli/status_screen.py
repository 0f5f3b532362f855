"""The screen of `edged status`."""

from __future__ import annotations

from datetime import datetime

from rich import box
from rich.table import Table

from edged.cli.console import stdout_console
from edged.cli.durations import in_words
from edged.domain.health import CameraStatus, DaemonStatus


def show(status: DaemonStatus, state: str, *, wall_now: float) -> None:
    """Print the status; `state` says whether the daemon is running."""
    console = stdout_console()
    facts = Table(box=None, show_header=False, pad_edge=False)
    for name, fact in _facts(status, state, wall_now):
        facts.add_row(name, fact)
    console.print(facts)
    console.print(_cameras(status.cameras))


def _facts(status: DaemonStatus, state: str, wall_now: float) -> list[tuple[str, str]]:
    started = datetime.fromtimestamp(status.started_wall_at).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    p50_ms, p99_ms = status.inference_p50_ms, status.inference_p99_ms
    inference = "none yet" if p50_ms is None or p99_ms is None else f"median {p50_ms:.1f} ms, p99 {p99_ms:.1f} ms"
    store = status.store
    facts = [
        ("edged", f"{status.version}, {state}"),
        ("started", f"{started}, up {in_words(status.uptime_s)}"),
        ("heard of", f"{in_words(wall_now - status.written_wall_at)} ago"),
        ("model", f"{status.model} on {status.backend}"),
        ("inference", inference),
        ("memory", f"{status.rss_bytes / 1e6:.0f} MB"),
        ("events", f"{store.written} written, {store.waiting} waiting, {store.dropped} dropped"),
    ]
    return facts + ([("store", f"CANNOT WRITE: {store.error}")] if store.error else [])


def _cameras(cameras: list[CameraStatus]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("camera", "state"):
        table.add_column(name, overflow="fold")
    for name in ("in/s", "detected/s", "frames", "detected", "skipped", "corrupt", "lost", "in view", "events"):
        table.add_column(name, justify="right")
    for camera in cameras:
        rates = f"{camera.fps_in:.1f}", f"{camera.fps_detected:.1f}"
        counts = camera.frames, camera.detected, camera.skipped, camera.corrupt, camera.reopened
        now = camera.tracks, camera.events
        table.add_row(camera.camera, camera.state, *rates, *(str(count) for count in (*counts, *now)))
    return table
