"""Runs edged on emulated Arm processors, and compares what it sees there with what it sees here.

    scripts/lab arm [--frames 12] [--json FILE]

QEMU emulates one process on this machine's kernel: Debian's Python, with the packages that a Raspberry Pi installs.
ncnn computes in float32 on a Cortex-A72 (Raspberry Pi 4) and in float16 on a Cortex-A76 (5), in loops of their own.
Nothing is learnt of speed. The exit code is 1 when a promise is broken.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from experiments.passer_by import scene
from numpy.typing import NDArray
from report import Report, Row

_REPO = Path(__file__).resolve().parents[2]
_PROCESSORS = {"cortex-a72": "Raspberry Pi 4", "cortex-a76": "Raspberry Pi 5"}
_EDGE_MAX_PX, _CONFIDENCE_MAX = 1.0, 0.02  # between engines that compute the same model
_TESTS = (
    "tests/unit/capture/formats",
    "tests/unit/capture/test_pixels.py",
    "tests/unit/imaging",
    "tests/unit/tracking/test_bytetrack.py",
)
"""Where the processor's own rounding and numbers come in. One processor is enough: their vectors are the same."""
_TESTED = "cortex-a72"  # emulated faster
_WITHIN_S = 900.0


@dataclass(frozen=True)
class Interpreter:
    """A Python that runs edged from this working tree."""

    command: Sequence[str]
    environment: dict[str, str]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run it to its end."""
        return subprocess.run(
            [*self.command, *arguments],
            cwd=_REPO,
            env=os.environ | self.environment | {"PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "200"},
            capture_output=True,
            text=True,
            timeout=_WITHIN_S,
            check=False,
        )


@dataclass(frozen=True)
class Seen:
    """What the demo made of the film."""

    tracks: NDArray[np.float64]  # (N, 7): frame, track_id, left, top, width, height, confidence
    events: list[tuple[str, str, int]]  # kind, label, track_id


def emulated(system: Path, site: Path, processor: str) -> Interpreter:
    """Debian's Python on that processor."""
    root = system / "root"
    return Interpreter(
        ["qemu-aarch64", "-L", str(root), "-cpu", processor, str(root / "usr/bin/python3")],
        {"PYTHONHOME": str(root / "usr"), "PYTHONPATH": f"{_REPO}:{site}"},
    )


def film(folder: Path, frames: int) -> None:
    """People on a street; the picture goes by a pixel a frame."""
    image, _ = scene()
    for number in range(frames):
        cv2.imwrite(str(folder / f"{number:03}.png"), np.roll(image, number, axis=1))


def watch(python: Interpreter, pictures: Path, data: Path) -> Seen:
    """Run the demo. Raises RuntimeError with its words when it fails."""
    data.mkdir()
    trace = data / "trace.txt"
    demo = ["demo", "--source", str(pictures), "--data", str(data), "--trace", str(trace), "--no-pictures"]
    done = python.run("-m", "edged", *demo)
    told = python.run("-m", "edged", "events", "--data", str(data), "--json")
    if done.returncode or told.returncode:
        raise RuntimeError(f"{done.stdout}{done.stderr}{told.stderr}")
    events = [json.loads(line) for line in told.stdout.splitlines()]
    return Seen(
        np.loadtxt(trace, delimiter=",", ndmin=2)[:, :7],
        [(event["kind"], event["label"], event["track_id"]) for event in events],
    )


def sees_in_the_golden_picture(python: Interpreter, report: Report) -> None:
    """The built-in model's self-test, which the daemon makes whenever it starts."""
    done = python.run("-m", "edged", "models", "verify", "builtin", "--backend", "ncnn")
    lines = [line for line in done.stdout.splitlines() if line.split()[:1] == ["ncnn"]]
    answer = lines[-1].strip() if lines else (done.stdout + done.stderr)[-300:]
    words = answer.split("ms")[-1].strip()
    report.add(Row("golden picture", words, "the recorded answer", done.returncode == 0 and "sound" in answer))


def sees_the_film(python: Interpreter, here: Seen, pictures: Path, data: Path, report: Report) -> dict[str, Any]:
    """The whole way from pictures to events."""
    there = watch(python, pictures, data)
    same = np.array_equal(here.tracks[:, :2], there.tracks[:, :2])
    report.add(
        Row("tracks of the film", f"{len(there.tracks)} boxes", f"those of this machine: {len(here.tracks)}", same)
    )
    edge_px = confidence = float("inf")
    if same:
        apart = np.abs(here.tracks - there.tracks).max(axis=0)
        edge_px, confidence = float(apart[2:6].max()), float(apart[6])
    report.add(
        Row(
            "  apart by",
            f"{edge_px:.2f} px, {confidence:.3f} of confidence",
            f"at most {_EDGE_MAX_PX:.0f} px, {_CONFIDENCE_MAX}",
            edge_px <= _EDGE_MAX_PX and confidence <= _CONFIDENCE_MAX,
        )
    )
    report.add(Row("  events", f"{len(there.events)}", "the same", bool(there.events) and there.events == here.events))
    return {"boxes": len(there.tracks), "edge_px": edge_px, "confidence": confidence, "events": len(there.events)}


def passes_the_tests(python: Interpreter, report: Report) -> None:
    """Tests of what is reckoned."""
    tests = [*_TESTS, "-m", "not slow", "-q", "-p", "no:cacheprovider", "--timeout", "300"]
    done = python.run("-m", "pytest", *tests)
    last = (done.stdout.strip() or done.stderr.strip() or f"exit code {done.returncode}").splitlines()[-1]
    report.add(Row("tests", last, "all pass", done.returncode == 0))
    if done.returncode:
        print(done.stdout[-3000:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--system", type=Path, required=True, help="Debian's root file system for Arm")
    parser.add_argument("--site", type=Path, required=True, help="Python packages for Arm")
    parser.add_argument("--frames", type=int, default=12)
    parser.add_argument("--json", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    report = Report()
    with tempfile.TemporaryDirectory() as folder:
        pictures = Path(folder, "film")
        pictures.mkdir()
        film(pictures, arguments.frames)
        here = watch(Interpreter([sys.executable], {"PYTHONPATH": str(_REPO)}), pictures, Path(folder, "here"))
        for processor, board in _PROCESSORS.items():
            report.section(f"{processor}, as in a {board}")
            python = emulated(arguments.system, arguments.site, processor)
            sees_in_the_golden_picture(python, report)
            data = Path(folder, processor)
            report.measured[processor] = sees_the_film(python, here, pictures, data, report)
        report.section(f"Pixels and tracks, {_TESTED}")
        passes_the_tests(emulated(arguments.system, arguments.site, _TESTED), report)
    report.end(arguments.json)


if __name__ == "__main__":
    main()
