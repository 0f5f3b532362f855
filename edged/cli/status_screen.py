"""The screen of `edged status`."""

from __future__ import annotations

from rich import box
from rich.table import Table

from edged.cli.console import fits, stdout_console
from edged.cli.durations import in_words
from edged.cli.machine_facts import last_end_fact, machine_facts
from edged.cli.when import local
from edged.domain.health import CameraStatus, DaemonStatus

_NUMBERS = ("in/s", "detected/s", "frames", "detected", "skipped", "corrupt", "missed", "lost", "in view", "events")


def show(status: DaemonStatus, state: str, *, wall_now: float) -> None:
    """Print the status; `state` says whether the daemon is running.

    Where the table of cameras does not fit, each camera is a paragraph, so that words stay whole.
    """
    console = stdout_console()
    facts = Table(box=None, show_header=False, pad_edge=False)
    for name, fact in _facts(status, state, wall_now):
        facts.add_row(name, fact)
    console.print(facts)
    table = _cameras(status.cameras)
    if fits(table, console):
        console.print(table)
        return
    for camera in status.cameras:
        console.print()
        console.print(f"{camera.camera}: {_state(camera)}")
        console.print(", ".join(f"{name} {value}" for name, value in zip(_NUMBERS, _numbers(camera), strict=True)))


def _facts(status: DaemonStatus, state: str, wall_now: float) -> list[tuple[str, str]]:
    started = local(status.started_wall_at).strftime("%Y-%m-%d %H:%M:%S")
    p50_ms, p99_ms = status.inference_p50_ms, status.inference_p99_ms
    inference = "none yet" if p50_ms is None or p99_ms is None else f"median {p50_ms:.1f} ms, p99 {p99_ms:.1f} ms"
    store = status.store
    facts = [
        ("edged", f"{status.version}, {state}"),
        ("started", f"{started}, up {in_words(status.uptime_s)}"),
        ("run before", last_end_fact(status.last_end)),
        ("heard of", f"{in_words(wall_now - status.written_wall_at)} ago"),
        ("model", f"{status.model} on {status.backend}"),
        ("inference", inference),
        ("events", f"{store.written} written, {store.waiting} waiting, {store.dropped} dropped"),
        *machine_facts(status.machine, status.rss_bytes),
    ]
    if store.error:
        facts.append(("store", f"CANNOT WRITE: {store.error}"))
    if status.config_pending:
        facts.append(("config", "a changed one is being prepared, the old one goes on"))
    if status.config_error:
        facts.append(("config", f"REFUSED, the old one goes on: {status.config_error}"))
    return facts


def _cameras(cameras: list[CameraStatus]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("camera", "state"):
        table.add_column(name)
    for name in _NUMBERS:
        table.add_column(name, justify="right")
    for camera in cameras:
        table.add_row(camera.camera, _state(camera), *_numbers(camera))
    return table


def _state(camera: CameraStatus) -> str:
    return camera.state if camera.picture in (None, "ok") else f"{camera.state}, picture {camera.picture}"


def _numbers(camera: CameraStatus) -> list[str]:
    rates = f"{camera.fps_in:.1f}", f"{camera.fps_detected:.1f}"
    counts = camera.frames, camera.detected, camera.skipped, camera.corrupt, camera.missed, camera.reopened
    return [*rates, *map(str, (*counts, camera.tracks, camera.events))]
