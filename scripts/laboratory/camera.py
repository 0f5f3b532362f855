"""Holds edged's cameras to their promises on a real kernel, and prints a table of what came of it.

    python scripts/laboratory/camera.py --kernel DIR --image DIR [--times 20] [--json FILE]

The exit code is 1 when a promise is broken. All times are the machine's own; its CPU is emulated, so they are no better
than those of a board.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from functools import partial
from pathlib import Path

import judge
from line import MachineError
from report import Report, Row
from session import Session, session

_FAULTS = ("unplug", "disconnect", "fatal", "damaged", "silent", "streamon", "reqbufs")
_VIVID, _LOOPBACK = "/dev/video0", "/dev/video10"
_EXPERIMENTS = "scripts.laboratory.experiments"
_FPS = 25.0
_TRIES = 5  # of a stream: a host that is busy elsewhere for a moment makes the emulated camera lose frames

_DAEMON = f"""\
data_dir = "/tmp/daemon"
[[camera]]
name = "tested"
source = "{_VIVID}"
format = "YUYV"
width_px = 320
height_px = 180
fps = 25
"""


def streams(lab: Session, report: Report) -> None:
    """Read each kind of stream for ten seconds."""
    report.section("Streams of 640 × 480")
    for name, device, fourcc in (
        ("YUYV from vivid", _VIVID, "YUYV"),
        ("NV12 from vivid", _VIVID, "NV12"),
        ("MJPEG from v4l2loopback", _LOOPBACK, "MJPG"),
    ):
        if device == _LOOPBACK:
            playing = f"v4l2-ctl -d {_LOOPBACK} -D | grep -q 'Video Capture'"
            player = lab.begin(f"-m {_EXPERIMENTS}.player {_LOOPBACK}", until=playing)
        for attempt in range(1, _TRIES + 1):
            seen = lab.experiment("stream", "--device", device, "--fourcc", fourcc, timeout_s=60.0)
            row = judge.stream(name if attempt == 1 else f"{name}, try {attempt}", seen, _FPS)
            if row.kept or attempt == _TRIES:
                break
        report.measured[name] = seen
        report.add(row)
    lab.end(player)


def faults(lab: Session, report: Report, times: int) -> None:
    """Inject each fault into a running stream, again and again."""
    report.section("Faults of vivid, in the middle of a stream")
    for name in _FAULTS:
        try:
            found = lab.experiment("faults", name, "--times", times, timeout_s=60.0 + 40.0 * times)
        except MachineError as error:
            report.add(Row(name, str(error).splitlines()[-1], "to be met", kept=False))
            print(error, file=sys.stderr)
            continue
        report.measured[name] = found
        for row in judge.fault(found):
            report.add(row)


def reopenings(lab: Session, report: Report) -> None:
    """Open and close a camera 200 times."""
    report.section("What is left behind")
    found = report.measured["reopenings"] = lab.experiment("reopen", "--times", 200, timeout_s=300.0)
    for row in judge.reopenings(found):
        report.add(row)


def refusals(lab: Session, report: Report) -> None:
    """Open what cannot be read."""
    report.section("Refusals")
    reading = f"grep -q {_VIVID} /proc/$pid/maps"
    reader = lab.begin(f"-m {_EXPERIMENTS}.stream --seconds 120", until=reading)
    busy = lab.experiment("refusal", _VIVID)
    report.add(judge.refusal("another program reads it", busy, error="SourceBusy", says="python3 (process "))
    denied = lab.experiment("refusal", _VIVID, user="visitor")
    report.add(judge.refusal("a user without the group video", denied, error="SourceDenied", says="video"))
    output = lab.experiment("refusal", _LOOPBACK)
    report.add(judge.refusal("a node for output only", output, error="SourceNotACamera", says=_LOOPBACK))
    absent = lab.experiment("refusal", "/dev/video7")
    report.add(judge.refusal("nothing there", absent, error="SourceNotFound", says="/dev/video7"))
    lab.end(reader)


def commands(lab: Session, report: Report) -> None:
    """List the cameras as a user would, and check the configuration that comes of it."""
    report.section("Commands, as a user with the group video")
    listed = lab.python("-m edged cameras", timeout_s=120.0, user="watcher")
    tables = re.findall(r"^ *\[\[camera\]\](?:\n *[\w.\[].*)+", listed.output, re.MULTILINE)
    names = listed.code == 0 and "vivid" in listed.output and len(tables) == 1
    report.add(Row("edged cameras", f"exit {listed.code}, {len(tables)} tables", "names vivid, with its table", names))
    lab.machine.check(f"cat > /tmp/cameras.toml << 'END'\n{tables[0] if tables else ''}\nEND")
    checked = lab.python("-m edged check-config /tmp/cameras.toml", timeout_s=120.0, user="watcher")
    report.add(Row("edged check-config", f"exit {checked.code}", "accepts that table", checked.code == 0))
    report.measured["commands"] = {"cameras": listed.output, "check-config": checked.output}
    shot = lab.python(f"-m edged snapshot {_VIVID} -o /tmp/shot.jpg", timeout_s=120.0, user="watcher")
    size = lab.machine.run("stat -c %s /tmp/shot.jpg").output.strip()
    report.add(Row("edged snapshot", f"exit {shot.code}, {size} bytes", "writes a picture", shot.code == 0))


def contracts(lab: Session, report: Report) -> None:
    """Hold the real driver to the contract tests that the fake one keeps."""
    report.section("Contract tests on the real driver")
    done = lab.python(
        "-m pytest -q -p no:cacheprovider -k real tests/contracts/test_camera.py tests/contracts/test_kernel.py",
        timeout_s=300.0,
    )
    summary = done.output.strip().splitlines()[-1].strip("= ")
    report.add(Row("tests/contracts", summary, "all pass", done.code == 0 and "skipped" not in summary))
    if done.code != 0:
        print(done.output, file=sys.stderr)


def daemon(lab: Session, report: Report) -> None:
    """Unplug the camera of the whole daemon, with its model and its database, and plug it in again."""
    report.section("The running daemon, its camera unplugged for ten seconds")
    lab.machine.check(f"cat > /tmp/daemon.toml << 'END'\n{_DAEMON}END")
    running = lab.begin("-m edged run -c /tmp/daemon.toml", until="grep -q 'gives frames' /tmp/beside.log")
    driver = "/sys/bus/platform/drivers/vivid"
    lab.machine.check(f"sleep 5; echo vivid.0 > {driver}/unbind; sleep 10; echo vivid.0 > {driver}/bind; sleep 15")
    lab.end(running)
    listed = lab.python("-m edged events -c /tmp/daemon.toml --json", timeout_s=120.0).output
    entries = [json.loads(line) for line in listed.splitlines() if line.startswith("{")]
    events = [entry for entry in entries if entry["kind"].startswith("camera_")]
    report.measured["daemon"] = {"events": events, "log": lab.machine.check("cat /tmp/beside.log")}
    found = ", ".join(f"{event['kind']} ({event['reason']}, {event['duration_s']:.1f} s)" for event in events)
    kept = [event["kind"] for event in events] == ["camera_lost", "camera_back"]
    report.add(Row("its events", found or listed[-60:], "one of each", kept))


def costs(lab: Session, report: Report) -> None:
    """Measure beside OpenCV and a bare loop."""
    report.section("Cost of a frame (scripts/bench capture), on an emulated CPU")
    lab.machine.check("rm -f /tmp/capture.json")
    done = lab.python(f"scripts/benchmarks/capture.py {_VIVID} --frames 50 --json /tmp/capture.json", timeout_s=300.0)
    if done.code != 0:
        raise MachineError(f"the benchmark ended with {done.code}:\n{done.output}")
    found = report.measured["capture"] = lab.json("/tmp/capture.json")
    for name, cost in found["contenders"].items():
        report.add(Row(name, f"{cost['cpu_us']:.0f} µs of CPU, {cost['age_ms']:.1f} ms old"))
    for name, ratio in found.items():
        if isinstance(ratio, float):
            report.add(Row(name.replace("_", " "), f"{ratio:.2f}"))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--kernel", type=Path, required=True)
    options.add_argument("--image", type=Path, required=True)
    options.add_argument("--times", type=int, default=20, help="how often to inject each fault (%(default)s)")
    options.add_argument("--json", type=Path)
    given = options.parse_args()
    report = Report()
    with session(kernel=given.kernel, image=given.image) as lab:
        for part in (
            streams,
            contracts,
            refusals,
            commands,
            reopenings,
            partial(faults, times=given.times),
            daemon,
            costs,
        ):
            try:
                part(lab, report)
            except MachineError as error:
                report.add(Row("cut short", str(error).splitlines()[-1], "to run to its end", kept=False))
                print(error, file=sys.stderr)
    report.end(given.json)


if __name__ == "__main__":
    main()
