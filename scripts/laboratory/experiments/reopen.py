"""Opens a camera again and again and says what the process holds meanwhile, as JSON.

python -m scripts.laboratory.experiments.reopen [--times 200] [--device /dev/video0]
"""

from __future__ import annotations

import argparse
import gc
import json
from dataclasses import asdict
from pathlib import Path

from edged.clock import SystemClock
from scripts.laboratory.experiments.camera import open_camera
from scripts.laboratory.experiments.watched import Holdings, without_huge_pages

_TO_SETTLE = 100  # the first ones load what is loaded once, and let the allocator find its size
_LOOK_EVERY = 20


def main() -> None:
    """Open, read two frames, close; print what is held after every twentieth time."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("--times", type=int, default=200)
    options.add_argument("--device", type=Path, default=Path("/dev/video0"))
    given = options.parse_args()
    without_huge_pages()
    camera = open_camera(given.device, SystemClock())
    held: list[Holdings] = []
    for done in range(_TO_SETTLE + given.times + 1):
        if done >= _TO_SETTLE and (done - _TO_SETTLE) % _LOOK_EVERY == 0:
            gc.collect()
            held.append(Holdings.now())
        camera.open()
        for _ in range(2):
            frame = camera.read(2.0)
            if frame is not None:
                frame.image()
                frame.release()
        camera.close()
    print(json.dumps({"times": given.times, "frames": camera.stats.frames, "held": [asdict(one) for one in held]}))


if __name__ == "__main__":
    main()
