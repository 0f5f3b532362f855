"""`edged run` with a camera that never was and a part that fails on command, as a program of its own.

python -m tests.daemon.faulty CONFIG: each of the configuration's cameras is a synthetic one. Something fails when a
file of that name is made beside the configuration: `hang-backend`, the next inference never returns; `hang-capture`,
the first camera's next read; `hang-disk`, the next fsync of Python's; `lose-camera`, the first camera is unplugged for
good. Time goes by four times as fast.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edged import app
from edged.cli.running import log_to_stderr, run_until_done
from edged.cli.signals import StopSignals
from edged.clock import Clock, SystemClock
from edged.config.loader import load_config
from edged.config.schema import CameraSection
from edged.detect.spec import ModelSpec
from edged.domain.engines import EngineOptions
from edged.domain.frame import Frame
from edged.errors import EdgedError, SourceLost
from edged.ports import Backend, Source
from edged.testing.source import SyntheticSource

SPEED = 4


class FastClock(SystemClock):
    """A clock by which four seconds are one."""

    def monotonic(self) -> float:
        return SPEED * super().monotonic()

    def wait(self, stop: threading.Event, timeout_s: float) -> bool:
        return super().wait(stop, timeout_s / SPEED)


def hang() -> None:
    threading.Event().wait()


def break_disk(folder: Path) -> None:
    """Let fsync hang when it is told to. A real disk that does so cannot be had without a kernel of one's own."""
    really_sync = os.fsync

    def fsync(descriptor: Any) -> None:
        if (folder / "hang-disk").exists():
            hang()
        really_sync(descriptor)

    os.fsync = fsync  # type: ignore[assignment] # it takes any


class FaultyBackend:
    def __init__(self, inner: Backend, folder: Path) -> None:
        self._inner = inner
        self._lever = folder / "hang-backend"

    def infer(self, blob: npt.NDArray[np.float32]) -> list[npt.NDArray[np.float32]]:
        if self._lever.exists():
            hang()
        return self._inner.infer(blob)

    def close(self) -> None:
        self._inner.close()


class FaultySource(SyntheticSource):
    def __init__(self, clock: Clock, folder: Path) -> None:
        super().__init__(clock=clock, frames=None, fps=5.0, in_real_time=True)
        self._folder = folder

    def open(self) -> None:
        self._fail()
        super().open()

    def read(self, timeout_s: float) -> Frame | None:
        if (self._folder / "hang-capture").exists():
            hang()
        self._fail()
        return super().read(timeout_s)

    def _fail(self) -> None:
        if (self._folder / "lose-camera").exists():
            raise SourceLost("the camera was unplugged", hint="Plug it in again.")


def main(arguments: Sequence[str]) -> int:
    path = Path(arguments[0])
    config = load_config(path)
    log_to_stderr(config.log.level)

    def make_source(section: CameraSection, clock: Clock) -> Source:
        first = section.name == config.camera[0].name
        return FaultySource(clock, path.parent if first else Path("/nowhere"))

    def make_backend(spec: ModelSpec) -> Backend:
        return FaultyBackend(app.make_backend(spec, "ncnn", EngineOptions(threads=1)), path.parent)

    break_disk(path.parent)
    try:
        with StopSignals() as signals:
            detector = app.load_detector(config, make_backend)
            run_until_done(app.build(config, clock=FastClock(), detector=detector, make_source=make_source), signals)
    except EdgedError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
