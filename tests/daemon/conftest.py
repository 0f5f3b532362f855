"""The real process: `python -m edged` in a folder of its own, with a model that needs no download."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edged.clock import SystemClock
from edged.domain.frame import BgrImage
from edged.testing.ncnn_model import SPOT_PX, write_bright_spot_model
from tests.unit.capture.clips import make_clip

ROOT = Path(__file__).parents[2]
WAIT_S = 60.0


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def complaints(self) -> str:
        """What stderr holds beside the log's ordinary lines."""
        return "".join(line for line in self.err.splitlines(keepends=True) if not line.startswith("INFO "))

    def told(self, *words: str) -> None:
        """Check that the error says these words, what to do, and no traceback."""
        assert "Traceback" not in self.err
        assert not [word for word in words if word not in self.err], self.err
        assert "\n  " in self.err, "no hint"


class Box:
    """A folder with a model, a configuration, and commands that run there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.status_folder: Path | None = None  # where the status file is, if not among the data
        self.config = folder / "edged.toml"
        self.model = write_bright_spot_model(folder / "spot")
        self._clock = SystemClock()
        self._running: list[subprocess.Popen[str]] = []

    def configure(self, *cameras: str, top: str = "", rest: str = "") -> None:
        """Write edged.toml; each camera is its lines, the first has the name cam0 and so on."""
        tables = "".join(f'[[camera]]\nname = "cam{number}"\n{lines}\n' for number, lines in enumerate(cameras))
        self.config.write_text(f'data_dir = "data"\n{top}\n[model]\npath = "./spot"\n{rest}\n{tables}')

    def start(self, *arguments: object, **options: Any) -> subprocess.Popen[str]:
        """Start a command of edged; it is killed at the end of the test if it still runs then."""
        return self.start_program([sys.executable, "-m", "edged", *arguments], **options)

    def start_program(self, command: Sequence[object], **options: Any) -> subprocess.Popen[str]:
        """Start any program; as above."""
        process = subprocess.Popen(
            list(map(str, command)),
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
            stdin=subprocess.DEVNULL,
            text=True,
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
        )
        self._running.append(process)
        return process

    def run(self, *arguments: object, **options: Any) -> Ended:
        """Run a command to its end."""
        return self.end_of(self.start(*arguments, **options))

    def end_of(self, process: subprocess.Popen[str], *, within_s: float = WAIT_S) -> Ended:
        """Wait for the end."""
        out, err = process.communicate(timeout=within_s)
        return Ended(process.returncode, out or "", err or "")

    def run_config(self, *arguments: object) -> Ended:
        """Run the daemon until its recordings have ended."""
        return self.run("run", "-c", self.config, *arguments)

    def events(self) -> list[dict[str, Any]]:
        """What `edged events` tells."""
        ended = self.run("events", "--data", self.data, "--json", "--limit", 10000)
        assert ended.code == 0, ended.err
        return [json.loads(line) for line in ended.out.splitlines()]

    def status(self) -> dict[str, Any] | None:
        """The status file's content; None as long as there is none."""
        try:
            content = json.loads(((self.status_folder or self.data) / "status.json").read_text())
        except FileNotFoundError:
            return None
        assert isinstance(content, dict)
        return content

    def wait_for(self, process: subprocess.Popen[str], met: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Look at the status file until it says so; fails when the process ends before, or after WAIT_S."""
        pause, deadline = threading.Event(), self._clock.monotonic() + WAIT_S
        while self._clock.monotonic() < deadline:
            status = self.status()
            if status is not None and status["pid"] == process.pid and met(status):
                return status
            assert process.poll() is None, process.stderr and process.stderr.read()
            self._clock.wait(pause, 0.05)
        raise AssertionError(f"never came: {self.status()}")

    def close(self) -> None:
        for process in self._running:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.communicate()


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    made = Box(tmp_path)
    yield made
    made.close()


def passing_spots(seq: int, width_px: int, height_px: int, *, every: int = 60, step_px: float = 2.0) -> BgrImage:
    """A bright square that crosses the picture in each period of `every` frames, and is away for the last 40."""
    image = np.full((height_px, width_px, 3), 30, np.uint8)
    turn = seq % every
    if turn < every - 40:
        x = 10 + round(turn * step_px)
        image[40 : 40 + SPOT_PX, x : x + SPOT_PX] = 255
    return image


def make_visits(path: Path, *, visits: int = 2, fps: int = 10) -> Path:
    """A clip of 160 x 128 in which an object is in view for 4 s, `visits` times, and then away for 4 s."""

    def picture(seq: int, width_px: int, height_px: int) -> BgrImage:
        return passing_spots(seq, width_px, height_px, every=80)

    return make_clip(path, frames=80 * visits, size=(160, 128), fps=fps, picture=picture)


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two visits in 160 frames at 10 a second."""
    return make_visits(tmp_path_factory.mktemp("clips") / "visits.mp4")


@pytest.fixture(scope="session")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fifty visits in 4,000 frames: seconds of work."""
    return make_visits(tmp_path_factory.mktemp("clips") / "long.mp4", visits=50)
