"""From the start of the process to the first detection, with warm caches.

Each round starts two fresh processes: the daemon, up to its first frame's tracks, and a floor that only imports the
libraries that the daemon needs (numpy, OpenCV, PyAV, ncnn).

    scripts/bench startup --model DIR --source CLIP [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 7

FLOOR = "import numpy, cv2, av, ncnn"
DAEMON = """
import os, resource, sys, time
from pathlib import Path
from edged import app

class FirstFrame:
    def __call__(self, frame, tracks, decision):
        used = resource.getrusage(resource.RUSAGE_SELF)
        print(time.time(), used.ru_utime + used.ru_stime, flush=True)
        os._exit(0)

source, model, folder = sys.argv[1:]
config = app.demo_config(camera="bench", source=source, model=model, data_dir=Path(folder), every=1, threads=1)
app.build(config, observers={"bench": [FirstFrame()]}).run()
"""


def daemon_round(source: str, model: str) -> tuple[float, float]:
    """Seconds of wall time and of CPU time until the first frame is through."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.time()
        command = [sys.executable, "-c", DAEMON, source, model, folder]
        answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return float(answer[0]) - began, float(answer[1])


def floor_round() -> tuple[float, float]:
    """Seconds of wall time and of CPU time to import the libraries."""
    began, used = time.time(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", FLOOR], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.time() - began, after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--model", default="builtin", help="a model folder, or a name from `edged models list`")
    parser.add_argument("--source", required=True, help="a recording")
    parser.add_argument("--json", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    daemon_round(arguments.source, arguments.model)  # warms the caches
    rounds = [(daemon_round(arguments.source, arguments.model), floor_round()) for _ in range(ROUNDS)]
    result = {
        "first_detection_s": statistics.median(daemon[0] for daemon, _ in rounds),
        "first_detection_cpu_s": statistics.median(daemon[1] for daemon, _ in rounds),
        "imports_s": statistics.median(floor[0] for _, floor in rounds),
        "imports_cpu_s": statistics.median(floor[1] for _, floor in rounds),
    }
    result["cpu_ratio_to_imports"] = result["first_detection_cpu_s"] / result["imports_cpu_s"]
    for name, value in result.items():
        print(f"{name:<24}{value:>8.3f}")
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
