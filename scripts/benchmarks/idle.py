"""What an idle camera costs: edged beside Debian's `motion`, on the same MJPEG stream at the same time.

The stream is 640 × 480 at 15 frames a second of a still scene with a sensor's noise, over HTTP on this machine; both
watch it for a minute after ten seconds to settle, and their CPU time is read from the kernel. `motion` must be
installed (apt-get install motion); without it only edged is measured.

    scripts/bench idle [--seconds 60] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, closing
from pathlib import Path

import cv2
import numpy as np
import psutil

from edged.testing.http_camera import HttpCamera, part

FPS = 15
SETTLE_S = 10.0
_PICTURES = 30  # different ones, so that none is the one before
_NOISE = 4.0  # grey levels

MOTION_CONF = """
daemon off
setup_mode off
log_level 4
webcontrol_port 0
stream_port 0
picture_output off
movie_output off
width 640
height 480
framerate 15
netcam_url {url}
target_dir {folder}
"""

EDGED_CONF = """
data_dir = "{folder}/data"
[scheduler]
policy = "{policy}"
[[camera]]
name = "idle"
source = "{url}"
"""


def pictures() -> list[bytes]:
    """A still scene as JPEGs, each with noise of its own."""
    rng = np.random.default_rng(0)
    scene = cv2.GaussianBlur(rng.uniform(0, 255, (480, 640, 3)).astype(np.uint8), (0, 0), 12).astype(float)
    scene = np.clip((scene - scene.mean()) * 6 + 110, 20, 235)
    noisy = [np.clip(scene + rng.normal(0, _NOISE, scene.shape), 0, 255).astype(np.uint8) for _ in range(_PICTURES)]
    return [cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes() for image in noisy]


def serve(camera: HttpCamera, stop: threading.Event) -> None:
    """Send a picture fifteen times a second."""
    due = time.monotonic()
    while not stop.wait(max(0.0, due - time.monotonic())):
        camera.send()
        due += 1 / FPS


def start(command: list[str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as out:
        return subprocess.Popen(command, stdout=out, stderr=out)


def cpu_s(process: subprocess.Popen[bytes]) -> float:
    """User and system time of a process so far. Raises RuntimeError when it has ended."""
    if process.poll() is not None:
        raise RuntimeError(f"{process.args} ended early with {process.returncode}")
    used = psutil.Process(process.pid).cpu_times()
    return used.user + used.system


def camera_status(path: Path) -> dict[str, float]:
    status: dict[str, list[dict[str, float]]] = json.loads(path.read_text())
    return status["cameras"][0]


def wait_for_frames(path: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait until edged watches: a busy machine may need a minute to start it. Raises RuntimeError after two."""
    for _ in range(240):
        cpu_s(process)
        if path.is_file() and camera_status(path)["frames"] >= FPS:
            return
        time.sleep(0.5)
    raise RuntimeError("edged saw no frames for two minutes")


class CountingCamera(HttpCamera):
    """Counts what it sends."""

    sent = 0

    def send(self, count: int = 1) -> None:
        self.sent += count
        super().send(count)


def measure(seconds: float) -> dict[str, float]:
    """Watch the stream with all contenders at once."""
    with ExitStack() as resources:
        folder = Path(resources.enter_context(tempfile.TemporaryDirectory()))
        stop = threading.Event()
        frames = pictures()
        camera = resources.enter_context(
            closing(CountingCamera(piece=lambda seq: part(seq, data=frames[seq % _PICTURES])))
        )
        sender = threading.Thread(target=serve, args=(camera, stop))
        sender.start()
        resources.callback(sender.join)
        resources.callback(stop.set)
        contenders = {}
        for name, policy in (("edged", "adaptive"), ("edged_every_frame", "stride")):
            config = folder / f"{name}.toml"
            config.write_text(EDGED_CONF.format(folder=folder / name, url=camera.url(), policy=policy))
            contenders[name] = [sys.executable, "-m", "edged", "run", "-c", str(config)]
        if shutil.which("motion"):
            config = folder / "motion.conf"
            config.write_text(MOTION_CONF.format(folder=folder, url=camera.url()))
            contenders["motion"] = ["motion", "-n", "-c", str(config)]
        processes = {name: start(command, folder / f"{name}.log") for name, command in contenders.items()}
        for process in processes.values():
            resources.callback(process.wait)
            resources.callback(process.terminate)
        for name in ("edged", "edged_every_frame"):
            wait_for_frames(folder / name / "data" / "status.json", processes[name])
        time.sleep(SETTLE_S)
        sent_before, began = camera.sent, time.monotonic()
        before = {name: cpu_s(process) for name, process in processes.items()}
        time.sleep(seconds)
        used = {name: cpu_s(process) - before[name] for name, process in processes.items()}
        fps = (camera.sent - sent_before) / (time.monotonic() - began)
        seen = camera_status(folder / "edged" / "data" / "status.json")
    result = {f"{name}_cpu_percent": 100 * spent / seconds for name, spent in used.items()}
    result["runs_saved"] = 1 - seen["detected"] / seen["frames"]
    result["frames"] = seen["frames"]
    result["fps_sent"] = fps  # below 15 the machine was too busy for the stream: measure again
    if "motion" in used:
        result["ratio_to_motion"] = used["edged"] / used["motion"]
    return result


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers here as well")
    args = parser.parse_args()
    result = measure(args.seconds)
    for name, value in result.items():
        print(f"{name:<32}{value:>10.3f}")
    if "ratio_to_motion" not in result:
        print("motion is not installed: apt-get install motion to compare")
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
