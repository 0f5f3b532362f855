"""`edged run` whose parts fail on command, for the laboratory's service.

    python faulty_edged.py CONFIG

The cameras, the model and all else are real. A file in /run/edged-lab is a lever: `hang-inference`, the next inference
never returns; `hang-capture`, the next read of a camera; `kill-capture`, it raises what no part expects; `leak`, each
inference keeps 32 MB; `crash`, the process ends before it has begun.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import threading
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edged import app
from edged.app.sources import make_source
from edged.cli.running import log_to_stderr, run_until_done
from edged.cli.signals import StopSignals
from edged.clock import Clock
from edged.config.loader import load_config
from edged.config.schema import CameraSection
from edged.detect.spec import ModelSpec
from edged.domain.engines import EngineOptions
from edged.domain.frame import Frame
from edged.errors import EdgedError
from edged.ports import Backend, Source

_LEVERS = Path("/run/edged-lab")
_LEAK_BYTES = 32 << 20


def _is_pulled(lever: str) -> bool:
    return (_LEVERS / lever).exists()


def _hang() -> None:
    threading.Event().wait()


class FaultyBackend:
    """The real engine, with levers."""

    def __init__(self, engine: Backend) -> None:
        self._engine = engine
        self._leaked: list[bytearray] = []

    def infer(self, blob: npt.NDArray[np.float32]) -> list[npt.NDArray[np.float32]]:
        """See ports.Backend."""
        if _is_pulled("hang-inference"):
            _hang()
        if _is_pulled("leak"):
            self._leaked.append(bytearray(os.urandom(1 << 20) * (_LEAK_BYTES >> 20)))
        return self._engine.infer(blob)

    def close(self) -> None:
        """See ports.Backend."""
        self._engine.close()


class FaultySource:
    """The real source, with levers."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.stats = source.stats

    def open(self) -> None:
        """See ports.Source."""
        self._source.open()

    def read(self, timeout_s: float) -> Frame | None:
        """See ports.Source."""
        if _is_pulled("hang-capture"):
            _hang()
        if _is_pulled("kill-capture"):
            raise RuntimeError("the laboratory killed the capture thread")
        return self._source.read(timeout_s)

    def close(self) -> None:
        """See ports.Source."""
        self._source.close()

    def frame_count(self) -> int | None:
        """See ports.Source."""
        return self._source.frame_count()


def _faulty_source(section: CameraSection, clock: Clock) -> Source:
    return FaultySource(make_source(section, clock))


def _faulty_backend(spec: ModelSpec) -> Backend:
    return FaultyBackend(app.make_backend(spec, "ncnn", EngineOptions()))


def main() -> int:
    faulthandler.enable()
    if _is_pulled("crash"):
        os.kill(os.getpid(), signal.SIGSEGV)
    try:
        with StopSignals() as signals:
            config = load_config(Path(sys.argv[1]))
            log_to_stderr(config.log.level)
            detector = app.load_detector(config, _faulty_backend)
            run_until_done(app.build(config, detector=detector, make_source=_faulty_source), signals)
    except EdgedError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
