"""What the event store does on a disk that is full, or dies, and what it writes: parts of scripts/lab power."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from disk_stage import Stage, stage
from report import Report, Row

from edged.health.run_record import RunRecord, write_record

_EVENTS_A_SECOND = 50.0
_OUTAGE_S = 5.0
_WITHIN_S = 120.0
_SETTLE_S, _MEASURE_S = 7.0, 60.0  # ext4 writes its own journal every five seconds
_RECORDS, _SUMMARY = 6, "2 cameras; 29.8 frames/s in; 6.1 detected/s; 120 MB; 61 °C"


def full(report: Report) -> dict[str, Any]:
    """Fill the disk for a while."""
    with stage(events_a_second=_EVENTS_A_SECOND) as scene:
        time.sleep(2.0)
        ballast = scene.place / "ballast"
        _fill(ballast)
        return _outage(scene, ballast.unlink, report, "full")


def dying(report: Report) -> dict[str, Any]:
    """Let every write fail, on which ext4 goes read-only, and put a new disk with the old one's content in."""
    with stage(events_a_second=_EVENTS_A_SECOND) as scene:
        time.sleep(2.0)
        scene.disk.fails = True
        return _outage(scene, scene.put_a_new_disk_in, report, "dying, then read-only")


def _outage(scene: Stage, mend: Callable[[], object], report: Report, name: str) -> dict[str, Any]:
    failed = _wait(scene, lambda status: status["error"] is not None)
    time.sleep(_OUTAGE_S)
    waited = scene.status()
    mend()
    mended_at = time.monotonic()
    _wait(scene, lambda status: status["error"] is None and status["waiting"] < _EVENTS_A_SECOND)
    took_s = time.monotonic() - mended_at
    put = scene.put_before(time.monotonic() - 1.0)
    after = _wait(scene, lambda status: status["written"] >= put)
    found = scene.found()
    whole = found >= set(range(1, put + 1)) and found == set(range(1, len(found) + 1))
    report.add(Row(f"{name}: what it says", str(failed["error"])[-60:], "so", failed["error"] is not None))
    text = f"{waited['waiting']} waited, {after['dropped']} dropped, {len(found)} of {put} or more found"
    report.add(Row(f"{name}: events", text, "none lost", whole and after["dropped"] == 0))
    report.add(Row(f"{name}: written again", f"{took_s:.1f} s after it was mended"))
    return {"failed": failed, "waited": waited, "after": after, "put": put, "found": len(found), "back_after_s": took_s}


def wear(report: Report) -> dict[str, Any]:
    """Count the bytes that reach the disk: at rest, and for each event."""
    rates: dict[str, Any] = {}
    for name, rate in (("at rest", 0.0), ("two events a second", 2.0)):
        with stage(events_a_second=rate, reader=False) as scene:
            time.sleep(_SETTLE_S)
            subprocess.run(["sync", "-f", scene.place], check=True)  # what the start left for later
            time.sleep(_SETTLE_S)
            events, written = scene.put_before(time.monotonic()), scene.disk.written_bytes
            time.sleep(_MEASURE_S)
            events = scene.put_before(time.monotonic()) - events
            written = scene.disk.written_bytes - written
        rates[name] = {"events": events, "bytes": written, "seconds": _MEASURE_S}
    rates["record"] = _wear_of_the_record()
    at_rest, busy, record = rates.values()
    an_hour = at_rest["bytes"] * 3600 / _MEASURE_S
    report.add(Row("at rest", f"{an_hour / 1e3:.0f} kB an hour", "nothing", an_hour == 0))
    an_event = busy["bytes"] / busy["events"]
    report.add(Row("for an event, every eighth with a picture", f"{an_event / 1e3:.1f} kB"))
    report.add(
        Row("for the record of the run, six times an hour", f"{record['bytes'] / record['writes'] / 1e3:.1f} kB")
    )
    return rates


def _wear_of_the_record() -> dict[str, Any]:
    """Replace the record of a run so seldom that the file system's journal counts each time."""
    record = RunRecord("run", "boot", 1, "version", 0.0, 0.0, 0.0, "running", _SUMMARY)
    with stage(events_a_second=0.0, reader=False) as scene:
        write_record(scene.place, record)
        time.sleep(_SETTLE_S)
        subprocess.run(["sync", "-f", scene.place], check=True)
        time.sleep(_SETTLE_S)
        written = scene.disk.written_bytes
        for _ in range(_RECORDS):
            write_record(scene.place, record)
            time.sleep(_SETTLE_S)
        return {"writes": _RECORDS, "bytes": scene.disk.written_bytes - written}


def _fill(path: Path) -> None:
    """Take all the room there is."""
    for size_bytes in (1 << 20, 4096):
        try:
            with path.open("ab", buffering=0) as file:
                while True:
                    file.write(bytes(size_bytes))
        except OSError:
            continue


def _wait(scene: Stage, met: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    deadline = time.monotonic() + _WITHIN_S
    while not met(status := scene.status()):
        if time.monotonic() > deadline:
            raise RuntimeError(f"never came: {status}")
        time.sleep(0.05)
    return status
