"""Runs the whole daemon under systemd: a real camera driver, the real model, tracks, events in SQLite.

    python scripts/laboratory/uml.py --usermode DIR [--json FILE]

In User-mode Linux the CPU is the host's own, so that the model keeps up with the camera. What the camera shows is
played into it, as over an HDMI cable: a street with people, and the same without. The exit code is 1 when a promise is
broken. Times are the host's wall clock's, and contain the 0.2 s and more that a question to the machine takes.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

from judge import RECOVERED_MAX_S as BACK_MAX_S
from line import MachineError
from report import Report, Row
from service import Service
from session import Session, usermode_session

_CAMERA, _PLAYED_INTO = "/dev/video0", "/dev/video1"
_FILMS = "/var/tmp"
_DRIVER = "/sys/bus/platform/drivers/vivid"
_AWAY_S = 5.0
_WATCHED_S = 10.0
_STOP_MAX_S = 10.0  # on a host that is busy elsewhere

_CONFIG = f"""\
data_dir = "/var/lib/edged"
runtime_dir = "/run/edged"
[tracker]
new_track_confidence = 0.5
[presence]
labels = ["person"]
rejoin_within_s = 1.0
[[camera]]
name = "street"
source = "{_CAMERA}"
format = "YUYV"
width_px = 640
height_px = 360
"""


class Screen:
    """What the camera looks at."""

    def __init__(self, lab: Session) -> None:
        """Make the films."""
        self._machine = lab.machine
        lab.experiment("passer_by", _FILMS, timeout_s=60.0)

    def connect(self) -> None:
        """Let the camera show what is played, at any time; it must be of the camera's size and format."""
        self._machine.check(f"v4l2-ctl -d {_CAMERA} -c loop_video=1")

    def play(self, film: str) -> None:
        """Play one film again and again, instead of what was played before."""
        self.darken()
        self._machine.check(
            f"setsid v4l2-ctl -d {_PLAYED_INTO} --set-fmt-video-out=width=640,height=360,pixelformat=YUYV "
            f"--stream-out-mmap --stream-from={_FILMS}/{film}.yuyv --stream-loop > /tmp/screen.log 2>&1 &"
        )

    def darken(self) -> None:
        """Play nothing."""
        self._machine.check("pkill -x v4l2-ctl; while pgrep -x v4l2-ctl; do sleep 0.1; done; true")


def _told(kind: str) -> Callable[[Service], bool]:
    return lambda service: any(event["kind"] == kind for event in service.events())


def starts(service: Service, report: Report) -> None:
    """Start it, and wait for pictures that were looked at."""
    took_s = service.start()
    active = service.property("ActiveState")
    first_s = service.until(Service.is_detecting, "the first detection")
    report.measured["start_s"], report.measured["first_detection_s"] = round(took_s, 2), round(took_s + first_s, 2)
    report.add(Row("systemctl start edged", f"{active} after {took_s:.1f} s", "active", active == "active"))
    report.add(Row("  first detection", f"after {took_s + first_s:.1f} s"))


def detects(service: Service, report: Report) -> None:
    """Look at the daemon while it works."""
    time.sleep(_WATCHED_S)
    status = report.measured["status"] = service.status()
    camera = status["cameras"][0]
    rates = f"{camera['fps_in']:.1f} fps in, {camera['fps_detected']:.1f} detected a second"
    runs = camera["fps_in"] > 0 and camera["fps_detected"] > 0
    report.add(Row("camera → NCNN", rates, "both run", runs))
    if status["inference_p50_ms"] is not None:
        inference = f"{status['inference_p50_ms']:.1f} ms p50, {status['inference_p99_ms']:.1f} ms p99"
        report.add(Row("  inference of the built-in model", inference))
    sane = status["running"] and status["trouble"] is None and camera["state"] == "running"
    sane = sane and str(status["pid"]) == service.property("MainPID") and status["store"]["error"] is None
    found = f"state {camera['state']!r}, {status['rss_bytes'] / 2**20:.0f} MiB, {camera['tracks']} tracks"
    report.add(Row("edged status --json", found, "runs, no trouble, systemd's own pid", sane))


def tracks(service: Service, screen: Screen, report: Report) -> None:
    """Let people come and go."""
    screen.play("people")
    came_s = service.until(_told("appeared"), "the appearance of a person")
    in_view = service.in_view()
    screen.play("nobody")
    left_s = service.until(_told("left"), "the departure of a person")
    events = [event for event in service.events() if event["kind"] in ("appeared", "left")]
    report.measured["people"] = events
    labels = sorted({str(event["label"]) for event in events})
    shots = sum(event.get("snapshot") is not None for event in events if event["kind"] == "left")
    found = f"appeared after {came_s:.1f} s ({in_view} in view), left after {left_s:.1f} s, {shots} snapshots"
    report.add(Row("tracks → SQLite", found, "a person appears and leaves", labels == ["person"] and shots > 0))


def loses_its_camera(lab: Session, service: Service, screen: Screen, report: Report) -> None:
    """Unplug the camera, and plug it in again."""
    screen.darken()
    lab.machine.check(f"echo vivid.0 > {_DRIVER}/unbind")
    lost_s = service.until(lambda one: one.camera_state().startswith("lost"), "word of the lost camera")
    time.sleep(_AWAY_S)
    before = service.detected()
    returned_at = float(lab.machine.check(f"date +%s.%N; echo vivid.0 > {_DRIVER}/bind"))
    service.until(lambda one: one.detected() > before, "the next detection")
    service.until(_told("camera_back"), "camera_back")
    outages = [event for event in service.events() if event["kind"].startswith("camera_")]
    kinds, back_s = [event["kind"] for event in outages], outages[-1]["wall_at"] - returned_at
    report.measured["outage"] = {"lost_s": round(lost_s, 2), "back_s": round(back_s, 2), "events": kinds}
    found = f"{', '.join(kinds)}; status told after {lost_s:.1f} s, back {back_s:.1f} s after the return"
    kept = kinds == ["camera_lost", "camera_back"] and back_s <= BACK_MAX_S
    report.add(Row("unplugged and plugged in", found, f"one of each, back in {BACK_MAX_S:g} s", kept))
    people = service.events()
    screen.connect()
    screen.play("people")
    again_s = service.until(
        lambda one: any(event["kind"] == "appeared" for event in one.events()[len(people) :]),
        "the appearance of a person after the outage",
    )
    report.add(Row("  a person afterwards", f"appeared after {again_s:.1f} s", "appears", kept=True))


def stops(lab: Session, service: Service, report: Report) -> None:
    """Stop it with a person in view, and read what it left."""
    took_s = service.stop()
    ended = (
        f"{service.property('ActiveState')}, {service.property('Result')}, exit {service.property('ExecMainStatus')}"
    )
    report.measured["stop_s"] = round(took_s, 2)
    clean = ended == "inactive, success, exit 0" and took_s <= _STOP_MAX_S
    report.add(Row("systemctl stop edged", f"{ended}, after {took_s:.1f} s", f"clean, within {_STOP_MAX_S:g} s", clean))
    events = service.events()
    restarts = service.property("NRestarts")
    last = events[-1] if events else {}
    closed = last.get("kind") == "left" and last.get("reason") == "ended"
    report.add(Row("  the last event", f"{last.get('kind')}, {last.get('reason')}", "left, ended", closed))
    report.add(Row("  restarts meanwhile", restarts, "none", restarts == "0"))
    query = (
        "import glob, sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute('PRAGMA integrity_check').fetchone()[0])"
    )
    intact = lab.machine.check(f'python3 -c "{query}" /var/lib/edged/events.db').strip()
    report.add(Row("  the event log", f"{len(events)} events, integrity {intact}", "intact", intact == "ok"))


def run(lab: Session, report: Report) -> None:
    """The life of one service, from its installation to its end."""
    service = Service(lab)
    try:
        screen = Screen(lab)
        service.install(_CONFIG)
        screen.connect()
        screen.play("nobody")
        report.section("edged.service, with the kernel's virtual camera and the built-in model")
        starts(service, report)
        detects(service, report)
        tracks(service, screen, report)
        loses_its_camera(lab, service, screen, report)
        stops(lab, service, report)
    except (MachineError, LookupError) as error:
        report.add(Row("cut short", str(error).splitlines()[0], "to run to its end", kept=False))
        print(error, file=sys.stderr)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--usermode", type=Path, required=True)
    options.add_argument("--json", type=Path)
    given = options.parse_args()
    report = Report()
    report.section("User-mode Linux")
    with usermode_session(given.usermode) as lab:
        booted_s = report.measured["booted_s"] = round(time.monotonic() - report.began, 1)
        state = lab.machine.booted(60.0)
        report.add(Row("booted", f"{state}, after {booted_s:.1f} s", "running", state == "running"))
        run(lab, report)
    report.end(given.json)


if __name__ == "__main__":
    main()
