"""Plays damaged clips and pictures in a process of its own: `python -m tests.unit.capture.fuzz_player FILE...`.

Prints a line a file, so that the parent sees which one ended the process.
"""

from __future__ import annotations

import sys
from pathlib import Path

from edged.capture.open import open_source
from edged.errors import SourceError
from edged.ports import EndOfStream
from edged.testing.clock import FakeClock


def play(path: Path) -> str:
    """Look at every frame; anything but a SourceError or the end is a fault of the source."""
    source = open_source(str(path), clock=FakeClock(), in_real_time=False)
    try:
        source.open()
        while True:
            frame = source.read(1.0)
            assert frame is not None
            frame.image()
    except EndOfStream:
        return f"{source.stats.frames} frames, {source.stats.corrupt} corrupt"
    except SourceError as error:
        return type(error).__name__
    finally:
        source.close()


if __name__ == "__main__":
    for name in sys.argv[1:]:
        sys.stdout.write(f"{name}: {play(Path(name))}\n")
        sys.stdout.flush()
